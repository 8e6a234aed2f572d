//! Whatever a client sends: it is told what is wrong, and nothing breaks.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, limits, rule};

const NETWORK: &str = "/resourceGroups/g/providers/Microsoft.Network";

fn wrong_values() -> [Value; 9] {
    [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("x"),
        json!([]),
        json!([[]]),
        json!({ "id": 5 }),
    ]
}

/// The path of a route, with the names of things that are there.
fn concrete(path: &str, lab: &Lab) -> String {
    let mut concrete = String::new();
    let mut before = "";
    for segment in path.split('/').skip(1) {
        let name = match (segment, before) {
            ("{subscription}", _) => lab.subscription.as_str(),
            ("{group}", _) => "g",
            (segment, "virtualmachines") if segment.starts_with('{') => "vm1",
            (segment, "virtualnetworks") if segment.starts_with('{') => "vnet",
            (segment, "subnets") if segment.starts_with('{') => "subnet",
            (segment, "networksecuritygroups") if segment.starts_with('{') => "nsg",
            (segment, "securityrules") if segment.starts_with('{') => "allow-ssh",
            (segment, "networkinterfaces") if segment.starts_with('{') => "nic-vm1",
            (segment, "publicipaddresses") if segment.starts_with('{') => "ip-vm1",
            (segment, _) if segment.starts_with('{') => "x",
            (segment, _) => segment,
        };
        concrete = format!("{concrete}/{name}");
        before = segment;
    }
    concrete
}

#[tokio::test]
async fn a_body_of_the_wrong_type_is_refused_at_every_route() {
    let lab = Lab::new().await;
    lab.machine("g", "vm1").await;
    let routes = cloud::routes();
    assert!(routes.len() > 60, "{routes:?}");
    for (method, path) in routes {
        // What a DELETE carries is read by nobody, and it would end the test early.
        if matches!(method.as_str(), "GET" | "HEAD" | "DELETE") {
            continue;
        }
        let method: Method = method.parse().unwrap();
        let path = concrete(&path, &lab);
        let address = format!("{}{path}?api-version=1", lab.endpoint);
        for wrong in wrong_values() {
            let in_properties = json!({ "location": "westus", "properties": wrong });
            for body in [wrong, in_properties] {
                let reply = lab.whole(method.clone(), &address, body.to_string()).await;
                assert!(reply.status.as_u16() < 500, "{method} {path} {body}: {reply:?}");
                assert!(
                    reply.status.is_success() || !reply.code().is_empty(),
                    "{method} {path} {body}: {reply:?}"
                );
            }
        }
    }
}

/// Every place of a document, as JSON pointers.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.replace('/', "~1"), value)).collect()
        }
        Value::Array(array) => {
            array.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in children {
        let place = format!("{at}/{key}");
        places(value, &place, all);
        all.push(place);
    }
}

#[tokio::test]
async fn a_wrong_value_at_any_place_of_a_document_breaks_nothing() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    let deployment = "/resourceGroups/g/providers/Microsoft.Resources/deployments/d";
    let template = json!({ "properties": { "mode": "Incremental", "template": {
        "parameters": { "p": { "type": "string", "defaultValue": "n" } },
        "variables": { "v": "[parameters('p')]" },
        "resources": [{
            "type": "Microsoft.Network/networkSecurityGroups", "name": "[variables('v')]",
            "location": "westus", "dependsOn": [], "copy": { "name": "c", "count": 1 },
            "condition": true, "properties": { "securityRules": [] }, "resources": [],
        }],
        "outputs": { "o": { "type": "string", "value": "[variables('v')]" } },
    }, "parameters": {} } });
    let mut cases = vec![(deployment.to_owned(), template)];
    let fresh = lab.vm_body("g", "vm1", &json!({ "k": "v" }));
    cases.push((
        "/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm2".into(),
        fresh,
    ));
    cases.push((
        format!("{vm}/extensions/enablevmaccess"),
        json!({ "location": "westus", "tags": {}, "properties": {
            "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
            "typeHandlerVersion": "1.5", "settings": {}, "protectedSettings": { "reset_ssh": true },
        } }),
    ));
    for path in [
        vm.clone(),
        "/resourceGroups/g".to_owned(),
        format!("{NETWORK}/virtualNetworks/vnet"),
        format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet"),
        format!("{NETWORK}/networkSecurityGroups/nsg"),
        format!("{NETWORK}/networkSecurityGroups/nsg/securityRules/allow-ssh"),
        format!("{NETWORK}/networkInterfaces/nic-vm1"),
        format!("{NETWORK}/publicIPAddresses/ip-vm1"),
    ] {
        let body = lab.get(&path).await.body;
        cases.push((path, body));
    }
    for (path, good) in cases {
        let mut all = Vec::new();
        places(&good, "", &mut all);
        for place in all {
            for wrong in wrong_values() {
                let mut body = good.clone();
                *body.pointer_mut(&place).unwrap() = wrong;
                let reply = lab.put(&path, body.clone()).await;
                assert!(
                    reply.status.as_u16() < 500,
                    "{path} {place} {:?}: {reply:?}",
                    body.pointer(&place)
                );
                lab.end_of(&reply).await;
            }
        }
        // The same document is still taken as it was.
        assert!(lab.get("/resources").await.status.is_success(), "{path}");
    }
    let view = lab.get(&format!("{vm}?$expand=instanceView")).await;
    assert_eq!(view.status, 200, "{view:?}");
}

#[tokio::test]
async fn large_deep_and_broken_bodies_are_answered() {
    let lab = Lab::new().await;
    let path = "/resourceGroups/g";
    for (body, status, code) in [
        (vec![b' '; 10 << 20], 413, "RequestContentTooLarge"),
        (vec![b'['; 1 << 20], 400, "InvalidRequestContent"),
        (b"{\"a\":".repeat(100_000), 400, "InvalidRequestContent"),
        (b"{ \"location\": \"\xff\xfe\" }".to_vec(), 400, "InvalidRequestContent"),
        (b"{ \"location\": \"westus\" ".to_vec(), 400, "InvalidRequestContent"),
        (b"{ \"location\": \"westus\" } x".to_vec(), 400, "InvalidRequestContent"),
        (b"location=westus".to_vec(), 400, "InvalidRequestContent"),
        (b"null".to_vec(), 400, "InvalidRequestContent"),
        (Vec::new(), 400, "InvalidRequestContent"),
    ] {
        let start = String::from_utf8_lossy(&body[..body.len().min(30)]).into_owned();
        let reply = lab.put_text(path, body).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (status, code),
            "{start}: {reply:?}"
        );
    }
    // Of a key that is given twice the last counts, as in ARM; what is unknown is
    // passed over.
    let twice = "{ \"location\": \"eastus\", \"colour\": [1], \"location\": \"westus\" }";
    let reply = lab.put_text(path, twice).await;
    assert_eq!((reply.status.as_u16(), &reply.body["location"]), (201, &json!("westus")));
    assert!(reply.body["colour"].is_null());
}

#[tokio::test]
async fn odd_paths_name_nothing() {
    let lab = Lab::new().await;
    lab.network("g", "vm1").await;
    let long = "a".repeat(5000);
    for path in [
        "/resourceGroups/g/../h",
        "/resourceGroups/%2e%2e",
        "/resourceGroups/%2e%2e/resources",
        "/resourceGroups/..%2fg",
        "/resourceGroups/g%00",
        "/resourceGroups/g%0a",
        "/resourceGroups/g%ff",
        "/resourceGroups/g%zz",
        "/resourceGroups/g%25",
        "/resourceGroups/g%5c..",
        "/resourceGroups/g%3fx",
        "/resourceGroups/%F0%9F%92%A9%F0%9F%92%A9",
        &format!("/resourceGroups/{long}"),
        &format!("{NETWORK}/virtualNetworks/{long}"),
        &format!("{NETWORK}/virtualNetworks/..%2f..%2fvnet"),
        &format!("{NETWORK}/virtualNetworks/%2e%2e"),
        &format!("{NETWORK}/networkSecurityGroups/nsg/securityRules/%2e%2e"),
        &format!("{NETWORK}/networkSecurityGroups/nsg/securityRules/a%20b"),
    ] {
        let body =
            json!({ "location": "westus", "properties": rule(400, "80", "Allow") });
        let address = format!("/subscriptions/{}{path}?api-version=1", lab.subscription);
        for method in ["GET", "PUT", "DELETE"] {
            let head = format!(
                "{method} {address} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\nconnection: close\r\n",
                lab.bearer()
            );
            let status = lab.spoken(&head, &body.to_string()).await;
            assert!(
                (400..500).contains(&status) || status == 204,
                "{method} {path}: {status}"
            );
        }
    }
    let groups = lab.get("/resourceGroups").await.body;
    assert_eq!(groups["value"].as_array().unwrap().len(), 1, "{groups}");
    // Double slashes are passed over, as ARM does.
    let reply = lab.get("//resourceGroups///g//").await;
    assert_eq!((reply.status.as_u16(), &reply.body["name"]), (200, &json!("g")));
}

#[tokio::test]
async fn odd_versions_types_and_verbs_are_answered() {
    let lab = Lab::new().await;
    let group =
        format!("{}/subscriptions/{}/resourceGroups/g", lab.endpoint, lab.subscription);
    let body = json!({ "location": "westus" }).to_string();
    for query in ["", "?api-version=", "?api-version", "?x=1"] {
        let reply =
            lab.whole(Method::PUT, &format!("{group}{query}"), body.clone()).await;
        assert_eq!(reply.code(), "MissingApiVersionParameter", "{query}");
    }
    // Any version is taken, as long as it is one word.
    for version in ["2024-11-01", "2024-11-01-preview", "9999-99-99", "x"] {
        let address = format!("{group}?api-version={version}");
        assert!(lab.whole(Method::PUT, &address, body.clone()).await.status.is_success());
    }
    for version in ["a%20b", "%00", "../..", &"1".repeat(500), "1&api-version=%0a"] {
        let address = format!("{group}?api-version={version}");
        let reply = lab.whole(Method::PUT, &address, body.clone()).await;
        assert_eq!(reply.code(), "InvalidApiVersionParameter", "{version}");
    }
    for method in ["TRACE", "OPTIONS", "CONNECTX", "put", "PROPFIND"] {
        let method: Method = method.parse().unwrap();
        let reply = lab
            .whole(method.clone(), &format!("{group}?api-version=1"), String::new())
            .await;
        assert_eq!(reply.status, 405, "{method}");
    }
    let path = "/resourceGroups/g";
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/xml", "x"]
    {
        let header = ("content-type", kind);
        let body = Some(json!({ "location": "westus" }));
        let reply = lab.with_header(Method::PUT, path, body, header).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (415, "UnsupportedMediaType"),
            "{kind}"
        );
    }
    for header in [("x-http-method-override", "DELETE"), ("x-http-method", "DELETE")] {
        assert_eq!(lab.with_header(Method::GET, path, None, header).await.status, 200);
        assert_eq!(lab.get(path).await.status, 200, "an override is not heeded");
    }
}

#[tokio::test]
async fn a_client_that_is_slow_is_let_go_and_idle_ones_are_in_nobodys_way() {
    let lab =
        Lab::with(cloud::Limits { slow_client: Duration::from_millis(700), ..limits() })
            .await;
    let host = lab.endpoint.trim_start_matches("https://").to_owned();
    // Connections that say nothing at all.
    let idle: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(&host).unwrap()).collect();
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    // A body that never comes to its end is answered, too.
    let head = format!(
        "PUT /subscriptions/{}/resourceGroups/h?api-version=1 HTTP/1.1\r\nhost: x\r\n\
         authorization: {}\r\ncontent-length: 100\r\n",
        lab.subscription,
        lab.bearer()
    );
    assert_eq!(lab.spoken_raw(&head, "{ \"location\"").await, 408);
    assert_eq!(lab.get("/resourceGroups/h").await.status, 404);
    // Nor does one that does not finish its head hold a connection for ever.
    assert_eq!(lab.spoken_raw("GET /subscriptions HTTP/1.1\r\nhost: x", "").await, 408);
    for mut one in idle {
        one.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut byte = [0];
        // Closed, with or without a last word of TLS.
        let _either = one.write(b"x");
        let _either = one.read(&mut byte);
    }
}
