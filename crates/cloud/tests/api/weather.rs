//! The cloud in Azure's weather, one property after the other.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloud::{Limits, Server, Weather};
use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, Reply, config, limits, machine_path};

/// A lab that gives up waiting for an operation's end soon.
async fn brisk() -> Lab {
    Lab::with(Limits {
        synchronous: Duration::from_millis(50),
        queue: Duration::from_secs(10),
        run_command: Duration::from_secs(20),
        ..limits()
    })
    .await
}

fn script(text: &str) -> Option<Value> {
    Some(json!({ "commandId": "RunShellScript", "script": [text] }))
}

fn reset() -> Value {
    json!({ "location": "westus", "properties": {
        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.5", "protectedSettings": { "reset_ssh": true },
    } })
}

impl Lab {
    async fn run(&self, vm: &str, text: &str) -> Reply {
        self.post(&format!("{vm}/runCommand"), script(text)).await
    }

    /// What a Run Command that was accepted has printed.
    async fn printed(&self, accepted: &Reply) -> String {
        assert_eq!(accepted.status, 202, "{accepted:?}");
        self.end_of(accepted).await;
        let location = accepted.header("location");
        let result = self.raw(Method::GET, location, Some(&self.bearer())).await;
        result.body["value"][0]["message"].as_str().unwrap().to_owned()
    }

    async fn endpoints(&self) -> Value {
        let address =
            format!("{}/metadata/endpoints?api-version=2022-09-01", self.endpoint);
        self.raw(Method::GET, &address, None).await.body
    }

    /// A new token, for the audience that the cloud names.
    async fn token(&self) -> String {
        let credentials = self.credentials();
        let audience = self.endpoints().await["authentication"]["audiences"][0]
            .as_str()
            .unwrap()
            .to_owned();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", credentials["clientId"].as_str().unwrap()),
            ("client_secret", credentials["clientSecret"].as_str().unwrap()),
            ("scope", &format!("{audience}/.default")),
        ];
        let reply = self.sign_in(&form).await;
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    async fn claims(&self) -> Value {
        let token = self.token().await;
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    /// From where the activity log has its entries.
    async fn clients_on_record(&self) -> Vec<Value> {
        let log = self
            .get("/providers/Microsoft.Insights/eventtypes/management/values?$filter=")
            .await;
        let entries = log.body["value"].as_array().unwrap().clone();
        assert!(!entries.is_empty());
        entries
            .iter()
            .map(|entry| entry["httpRequest"]["clientIpAddress"].clone())
            .collect()
    }

    /// The codes of a machine's instance view, and what it says of the agent.
    async fn view(&self, vm: &str) -> (Vec<String>, Value) {
        let view = self.get(&format!("{vm}/instanceView")).await.body;
        let statuses = view["statuses"].as_array().unwrap();
        let codes = statuses.iter().map(|one| one["code"].as_str().unwrap().to_owned());
        (codes.collect(), view["vmAgent"].clone())
    }

    async fn state_of(&self, reply: &Reply) -> String {
        let address = reply.header("azure-asyncoperation");
        let status = self.raw(Method::GET, address, Some(&self.bearer())).await;
        status.body["status"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn every_answer_of_arm_is_a_while_on_its_way() {
    let lab = Lab::new().await;
    lab.weather("latency=200");
    let begun = Instant::now();
    lab.get("/resourceGroups").await;
    lab.endpoints().await;
    assert!(begun.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_run_command_takes_its_time() {
    let lab = brisk().await;
    let vm = lab.machine("g", "vm1").await;
    lab.weather("run-command=0.3");
    let begun = Instant::now();
    let accepted = lab.run(&vm, "echo hello").await;
    assert_eq!(lab.state_of(&accepted).await, "InProgress");
    assert!(lab.printed(&accepted).await.contains("echo hello"));
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_run_command_returns_the_end_of_its_output() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    let long = "x".repeat(5000);
    let whole = lab.run(&vm, &long).await;
    assert!(whole.body["value"][0]["message"].as_str().unwrap().contains(&long));
    lab.weather("output=4096");
    assert_eq!(lab.endpoints().await["regain"]["runCommandOutputBytes"], 4096);
    let cut = lab.run(&vm, &format!("{long}end")).await;
    let message = cut.body["value"][0]["message"].as_str().unwrap();
    assert_eq!(message.matches('x').count(), 4093);
    assert!(message.contains("xend"), "{message}");
}

#[tokio::test]
async fn a_second_run_command_is_refused_while_the_first_one_runs() {
    let lab = brisk().await;
    let vm = lab.machine("g", "vm1").await;
    lab.weather("run-command=0.3,conflict");
    let first = lab.run(&vm, "one").await;
    let second = lab.run(&vm, "two").await;
    assert_eq!((second.status.as_u16(), second.code()), (409, "Conflict"));
    assert_eq!(
        second.message(),
        "Run command extension execution is in progress. Please wait for completion before \
         invoking a run command."
    );
    // Or it waits for its turn.
    lab.weather("run-command=0.3,conflict=off");
    let third = lab.run(&vm, "three").await;
    assert_eq!(lab.state_of(&first).await, "Succeeded");
    assert!(lab.printed(&third).await.contains("three"));
}

#[tokio::test]
async fn one_machine_is_read_so_often_and_no_more() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    lab.weather("throttle");
    let first = lab.get(&vm).await;
    let left = first.header("x-ms-ratelimit-remaining-resource");
    assert!(left.starts_with("Microsoft.Compute/") && left.ends_with(";35"), "{left}");
    let mut served = 1;
    let refused = loop {
        let path =
            if served % 2 == 0 { vm.clone() } else { format!("{vm}/instanceView") };
        let reply = lab.get(&path).await;
        if reply.status != 200 {
            break reply;
        }
        served += 1;
    };
    assert!(served >= 36, "{served}");
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "OperationNotAllowed"));
    assert_eq!(refused.body["error"]["details"][0]["code"], "TooManyRequests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    // Each machine is counted by itself, and a list is no machine.
    assert_eq!(lab.get(&machine_path("g", "other")).await.status, 404);
    let (all, _) = vm.rsplit_once('/').unwrap();
    assert_eq!(lab.get(all).await.status, 200);
    lab.weather("clear");
    assert_eq!(lab.get(&vm).await.status, 200);
}

#[tokio::test]
async fn nothing_tells_where_a_client_comes_from() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    assert_eq!(lab.clients_on_record().await[0], "127.0.0.1");
    lab.weather("unknown-client");
    assert_eq!(lab.endpoints().await["regain"], Value::Null);
    assert_eq!(lab.claims().await["ipaddr"], Value::Null);
    assert!(lab.clients_on_record().await.iter().all(Value::is_null));
}

#[tokio::test]
async fn a_client_behind_a_nat_is_told_an_address_that_no_machine_sees() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    lab.weather("azure,latency=0,nat=198.51.100.9");
    assert_eq!(lab.endpoints().await["regain"], Value::Null);
    assert_eq!(lab.claims().await["ipaddr"], "198.51.100.9");
    assert!(lab.clients_on_record().await.iter().all(|one| one == "198.51.100.9"));
}

#[tokio::test]
async fn an_agent_that_is_lost_leaves_what_it_was_told_in_progress() {
    let lab = brisk().await;
    let vm = lab.machine("g", "vm1").await;
    lab.weather("agent=lost");
    let (codes, agent) = lab.view(&vm).await;
    assert!(codes.contains(&"PowerState/running".to_owned()), "{codes:?}");
    assert_eq!(agent["vmAgentVersion"], "Unknown");
    let status = &agent["statuses"][0];
    assert_eq!(
        (&status["code"], &status["displayStatus"], &status["message"]),
        (
            &json!("ProvisioningState/Unavailable"),
            &json!("Not Ready"),
            &json!("VM status blob is found but not yet populated."),
        )
    );
    let told = lab.run(&vm, "meanwhile").await;
    let extension = lab.put(&format!("{vm}/extensions/enablevmaccess"), reset()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(lab.state_of(&told).await, "InProgress");
    assert_eq!(lab.state_of(&extension).await, "InProgress");
    // What it was told reaches it when it is back.
    lab.weather("clear");
    assert!(lab.printed(&told).await.contains("meanwhile"));
    assert_eq!(lab.end_of(&extension).await["status"], "Succeeded");
    assert_eq!(lab.view(&vm).await.1["statuses"][0]["displayStatus"], "Ready");
}

#[tokio::test]
async fn an_agent_that_is_lost_in_the_midst_does_not_report_the_end() {
    let lab = Lab::with(Limits {
        synchronous: Duration::from_millis(50),
        simulated_work: Duration::from_millis(300),
        ..limits()
    })
    .await;
    let vm = lab.machine("g", "vm1").await;
    let told = lab.run(&vm, "midst").await;
    lab.weather("agent=lost");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(lab.state_of(&told).await, "InProgress");
    lab.weather("clear");
    assert!(lab.printed(&told).await.contains("midst"));
}

#[tokio::test]
async fn a_machine_without_an_agent_takes_nothing() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    lab.weather("agent=absent");
    assert_eq!(lab.view(&vm).await.1, Value::Null);
    let document = lab.get(&vm).await.body;
    let profile = &document["properties"]["osProfile"];
    assert_eq!(profile["allowExtensionOperations"], false);
    assert_eq!(profile["linuxConfiguration"]["provisionVMAgent"], false);
    let extension = format!("{vm}/extensions/enablevmaccess");
    for reply in [lab.run(&vm, "id").await, lab.put(&extension, reset()).await] {
        assert_eq!((reply.status.as_u16(), reply.code()), (409, "OperationNotAllowed"));
        assert!(reply.message().contains("extension operations are disallowed"));
    }
    assert_eq!(lab.get(&extension).await.status, 404);
    // The document is as it was, also for who writes back what was shown.
    assert!(lab.put(&vm, document).await.status.is_success());
    lab.weather("clear");
    let profile = lab.get(&vm).await.body["properties"]["osProfile"].clone();
    assert_eq!(profile["linuxConfiguration"]["provisionVMAgent"], true);
}

#[tokio::test]
async fn a_machine_takes_its_time_to_start() {
    let lab = brisk().await;
    lab.network("g", "vm1").await;
    let vm = machine_path("g", "vm1");
    lab.weather("boot=0.5");
    let starting =
        |codes: &[String]| codes.iter().any(|one| one == "PowerState/starting");
    let created = lab.put(&vm, lab.vm_body("g", "vm1", &json!({}))).await;
    assert!(starting(&lab.view(&vm).await.0));
    assert_eq!(lab.state_of(&created).await, "InProgress");
    lab.end_of(&created).await;
    for verb in ["restart", "redeploy"] {
        let begun = Instant::now();
        let reply = lab.post(&format!("{vm}/{verb}"), None).await;
        assert_eq!(reply.status, 202, "{verb}: {reply:?}");
        // It goes down first.
        while !starting(&lab.view(&vm).await.0) {
            assert_eq!(lab.state_of(&reply).await, "InProgress", "{verb}");
        }
        lab.end_of(&reply).await;
        assert!(begun.elapsed() >= Duration::from_millis(500), "{verb}");
        let (codes, _) = lab.view(&vm).await;
        assert!(codes.contains(&"PowerState/running".to_owned()), "{verb}: {codes:?}");
    }
}

#[tokio::test]
async fn nothing_that_arm_answers_says_whose_cloud_it_is() {
    let lab = brisk().await;
    let vm = lab.machine("g", "vm1").await;
    lab.weather("hide,run-command=0.1");
    let bearer = format!("Bearer {}", lab.token().await);
    let arm = |path: &str| format!("{}{path}?api-version=2022-09-01", lab.endpoint);
    let here = format!("/subscriptions/{}", lab.subscription);
    let mut replies = Vec::new();
    for path in [
        "/metadata/endpoints",
        "/subscriptions",
        "/tenants",
        &here,
        &format!("{here}/locations"),
        &format!("{here}/resourceGroups"),
        &format!("{here}/resources"),
        &format!("{here}{vm}"),
        &format!("{here}{vm}/instanceView"),
        &format!("{here}{vm}/runCommands/none"),
        &format!("{here}/nothing"),
    ] {
        replies.push(lab.raw(Method::GET, &arm(path), Some(&bearer)).await);
    }
    let accepted = lab.run(&vm, "id").await;
    assert_eq!(accepted.header("retry-after"), "1", "Azure has no fractions");
    lab.end_of(&accepted).await;
    replies.push(accepted);
    for reply in replies {
        assert!(reply.status != 401 && reply.status != 403, "{reply:?}");
        assert!(!format!("{reply:?}").contains("regain"), "{reply:?}");
    }
    // A token of before the change is still good.
    assert_eq!(lab.get("/resourceGroups").await.status, 200);
}

#[tokio::test]
async fn the_weather_outlives_the_server() {
    let mut lab = Lab::new().await;
    lab.stop().await.unwrap();
    let azure = Weather { latency: Duration::ZERO, ..Weather::AZURE };
    let asked = cloud::Config { weather: Some(azure), ..config(lab.state.path()) };
    let server = Server::start(asked, limits()).await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(Weather::read(lab.state.path()).unwrap(), azure);
    lab.start().await;
    assert_eq!(lab.endpoints().await["name"], "AzureCloud");
}
