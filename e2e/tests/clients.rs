//! What real clients do when the cloud is not at their service at once, and who a
//! machine is.

use e2e::{Client, Lab, Operator, Ran};
use reqwest::{Certificate, Method, StatusCode};

#[test]
fn az_waits_when_it_is_told_that_it_asks_too_much() {
    let lab = Lab::down();
    let mut up = lab.command(&["lab", "up", "--engine", "fake"]);
    up.env("REGAIN_REQUESTS_PER_SECOND", "1");
    Ran::of(up).ok();
    let az = Operator::with_az(&lab);
    // Three requests each time.
    let addresses = ["vm", "list-ip-addresses", "-g", "lab", "-n", "vm1", "-o", "json"];
    for _ in 0..3 {
        let found = az.run(Client::Az, &addresses, None).ok().json();
        assert_eq!(found[0]["virtualMachine"]["name"], "vm1");
    }
    let log = std::fs::read_to_string(lab.state().join("server.log"));
    assert!(log.expect("a server writes a log").contains("status=429"));
}

#[test]
fn a_machine_may_do_what_the_role_of_its_identity_allows() {
    let lab = Lab::up();
    let vm = lab.vm();
    let az = Operator::with_az(&lab);
    let assign = ["vm", "identity", "assign", "-g", "lab", "-n", "vm1", "-o", "json"];
    let assigned = az.run(Client::Az, &assign, None).ok().json();
    let principal = assigned["systemAssignedIdentity"].as_str().expect("an identity");

    // As programs on a VM ask for a token: without any secret.
    let token = vm.sh("perl -MIO::Socket::INET -e '
            my $s = IO::Socket::INET->new(\"169.254.169.254:80\") or die;
            print $s \"GET /metadata/identity/oauth2/token?api-version=2018-02-01\",
                \"&resource=https://management.regain.invalid/ HTTP/1.0\\r\\n\",
                \"Metadata: true\\r\\n\\r\\n\";
            local $/; <$s> =~ /\"access_token\":\"([^\"]+)\"/ or die; print $1'");
    let token = token.ok().stdout;
    let id = lab.regain(&["vm", "show", "-g", "lab", "-n", "vm1", "-o", "json"]).ok();
    let id = id.json()["id"].as_str().expect("a VM has an id").to_owned();
    let asked = |method: Method, path: &str| ask(&lab, &token, method, path);

    assert_eq!(asked(Method::GET, &id), StatusCode::FORBIDDEN);
    let role = ["--role", "Reader", "--scope", &id, "--assignee-object-id", principal];
    let kind = ["--assignee-principal-type", "ServicePrincipal"];
    let line = [&["role", "assignment", "create"][..], &role, &kind].concat();
    az.run(Client::Az, &line, None).ok();
    assert_eq!(asked(Method::GET, &id), StatusCode::OK);
    assert_eq!(asked(Method::POST, &format!("{id}/restart")), StatusCode::FORBIDDEN);
}

/// The status of one request to the cloud with this token.
fn ask(lab: &Lab, token: &str, method: Method, path: &str) -> StatusCode {
    let read = |name: &str| std::fs::read(lab.state().join(name)).expect("a lab has it");
    let authority = Certificate::from_pem(&read("ca.pem")).expect("a certificate");
    let server: serde_json::Value =
        serde_json::from_slice(&read("server.json")).expect("JSON");
    let endpoint = server["endpoint"].as_str().expect("an endpoint");
    let address = format!("{endpoint}{path}?api-version=2024-07-01");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = reqwest::Client::builder().tls_certs_only([authority]).build();
        let request = client.expect("a client").request(method, address);
        request.bearer_auth(token).send().await.expect("an answer").status()
    })
}
