//! A login through a load balancer: the client speaks to a port of the frontend, and
//! the VM's own sshd answers.

use std::process::Command;

use e2e::{Lab, Ran};
use serde_json::{Value, json};

/// `regain rest`, whose answer is JSON.
fn rest(lab: &Lab, method: &str, path: &str, body: Option<&Value>) -> Ran {
    let url = format!(
        "/subscriptions/{{subscriptionId}}/resourceGroups/lab/providers/Microsoft.Network/{path}?api-version=2024-07-01"
    );
    let mut arguments = vec!["rest", "--method", method, "--url", &url];
    let body = body.map(Value::to_string);
    arguments.extend(body.iter().flat_map(|body| ["--body", body.as_str()]));
    lab.regain(&arguments)
}

fn get(lab: &Lab, path: &str) -> Value {
    rest(lab, "get", path, None).ok().json()
}

/// A PUT, and the wait until it is in force.
fn put(lab: &Lab, path: &str, body: &Value) -> Value {
    rest(lab, "put", path, Some(body)).ok();
    for _ in 0..100 {
        let there = get(lab, path);
        if there["properties"]["provisioningState"] == "Succeeded" {
            return there;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{path} is not ready");
}

#[test]
fn an_inbound_nat_rule_leads_to_the_vms_ssh_server() {
    let lab = Lab::up();
    let nics = get(&lab, "networkInterfaces");
    let mut nic = nics["value"][0].clone();
    let location = nic["location"].clone();
    let front = put(
        &lab,
        "publicIPAddresses/front",
        &json!({ "location": location, "sku": { "name": "Standard" } }),
    );
    let base =
        front["id"].as_str().expect("an id").replace("publicIPAddresses/front", "");
    let frontend = format!("{base}loadBalancers/lb/frontendIPConfigurations/fe");
    let balancer = put(
        &lab,
        "loadBalancers/lb",
        &json!({ "location": location, "sku": { "name": "Standard" }, "properties": {
            "frontendIPConfigurations": [{ "name": "fe", "properties": {
                "publicIPAddress": { "id": front["id"] },
            } }],
            "inboundNatRules": [{ "name": "ssh", "properties": {
                "protocol": "Tcp", "frontendPort": 50001, "backendPort": 22,
                "frontendIPConfiguration": { "id": frontend },
            } }],
        } }),
    );
    nic["properties"]["ipConfigurations"][0]["properties"]["loadBalancerInboundNatRules"] =
        json!([{ "id": balancer["properties"]["inboundNatRules"][0]["id"] }]);
    let name = nic["name"].as_str().expect("a name").to_owned();
    put(&lab, &format!("networkInterfaces/{name}"), &nic);

    let vm = lab.vm();
    let address = front["properties"]["ipAddress"].as_str().expect("an address");
    let through_the_frontend = || {
        let mut ssh = Command::new("ssh");
        ssh.args(["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"])
            .args(["-o", "ConnectTimeout=5", "-p", "50001", "-i", &vm.key()])
            .arg(format!("azureuser@{address}"))
            .arg("hostname");
        Ran::of(ssh)
    };
    assert_eq!(through_the_frontend().ok().stdout.trim(), "vm1");

    lab.kill_server();
    assert_eq!(
        through_the_frontend().ok().stdout.trim(),
        "vm1",
        "packets need no server"
    );
}
