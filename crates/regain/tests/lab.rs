//! az's verbs against a lab of machines in name only: what they print, and how
//! they fail. Everything stays on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lab_in_name;

use lab_in_name::Lab;
use snapbox::str;

#[test]
fn a_lab_says_where_it_is_and_how_to_get_in() {
    let lab = Lab::up();
    let status = lab.json(&["lab", "status", "-o", "json"]);
    let vm = &status["vms"][0];
    assert_eq!((&vm["group"], &vm["name"]), (&"lab".into(), &"vm1".into()));
    assert_eq!((&vm["user"], &vm["engine"]), (&"azureuser".into(), &"fake".into()));
    assert!(vm["host"].as_str().unwrap().starts_with("127.64."));
    assert!(std::fs::read(vm["key"].as_str().unwrap()).is_ok());
    assert!(std::fs::read(status["ca"].as_str().unwrap()).is_ok());

    // Once more is the same lab.
    lab.regain(&["lab", "up", "--engine", "fake"]).assert().success();
    assert_eq!(lab.json(&["lab", "status", "-o", "json"]), status);

    let output = lab.regain(&["lab", "env"]).assert().success().get_output().clone();
    let lines = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> =
        lines.lines().map(|line| line.split(['=', ' ']).nth(1).unwrap()).collect();
    assert_eq!(
        names,
        [
            "REGAIN_ENDPOINT",
            "REGAIN_TENANT",
            "REGAIN_CLIENT_ID",
            "REGAIN_CLIENT_SECRET",
            "REGAIN_SUBSCRIPTION",
            "REQUESTS_CA_BUNDLE",
            "IDENTITY_ENDPOINT",
            "IDENTITY_HEADER"
        ]
    );
}

#[test]
fn vms_are_shown_as_az_shows_them() {
    let lab = Lab::up();
    let vm = lab.json(&["vm", "show", "-g", "lab", "-n", "vm1"]);
    assert_eq!(vm["provisioningState"], "Succeeded");
    assert_eq!(vm["resourceGroup"], "lab");
    assert_eq!(vm["networkProfile"]["networkInterfaces"][0]["primary"], true);
    assert!(vm.get("properties").is_none());

    lab.regain(&["vm", "list", "-o", "table"]).assert().success().stdout_eq(str![[r#"
Name    ResourceGroup    Location
------  ---------------  ----------
vm1     lab              local

"#]]);
    lab.regain(&[
        "vm",
        "list",
        "-d",
        "--query",
        "[].{Power: powerState, Name: name}",
        "-o",
        "tsv",
    ])
    .assert()
    .success()
    .stdout_eq("VM running\tvm1\n");
    lab.regain(&[
        "vm",
        "show",
        "--ids",
        vm["id"].as_str().unwrap(),
        "-o",
        "tsv",
        "--query",
        "name",
    ])
    .assert()
    .success()
    .stdout_eq("vm1\n");
}

#[test]
fn what_does_not_exist_exits_with_3() {
    let lab = Lab::up();
    lab.regain(&["vm", "show", "-g", "lab", "-n", "nope"])
        .assert()
        .code(3)
        .stdout_eq("")
        .stderr_eq(str![[r#"
ERROR: (ResourceNotFound) The Resource 'Microsoft.Compute/virtualMachines/nope' under resource group 'lab' was not found.
Code: ResourceNotFound
Message: The Resource 'Microsoft.Compute/virtualMachines/nope' under resource group 'lab' was not found.

"#]]);
    for line in [
        &["diagnose", "-g", "lab", "-n", "nope"][..],
        &["repair", "-g", "nope", "-n", "vm1"],
        &["group", "show", "-n", "nope"],
        &["vm", "restart", "-g", "lab", "-n", "nope"],
        &["lab", "inject", "sshd.not-running", "--vm", "nope"],
    ] {
        lab.regain(line).assert().code(3);
    }
    // ARM deletes what is not there, and so does az.
    let delete = ["vm", "delete", "-g", "lab", "-n", "nope", "-y"];
    lab.regain(&delete).assert().success().stdout_eq("");
}

#[test]
fn rules_are_made_listed_and_deleted() {
    let lab = Lab::up();
    let nsg = ["-g", "lab", "--nsg-name", "vm1NSG"];
    let rule = lab.json(
        &[
            &["network", "nsg", "rule", "create"],
            &nsg[..],
            &["-n", "deny", "--priority", "200", "--access", "Deny", "--protocol", "Tcp"],
            &["--destination-port-ranges", "22", "80-90"],
        ]
        .concat(),
    );
    assert_eq!(rule["access"], "Deny");
    assert_eq!(rule["destinationPortRanges"], serde_json::json!(["22", "80-90"]));
    let list = [&["network", "nsg", "rule", "list"], &nsg[..]].concat();
    lab.regain(&[&list[..], &["-o", "table"]].concat()).assert().success().stdout_eq(str![[r#"
Name               ResourceGroup    Priority    SourcePortRanges    SourceAddressPrefixes    SourceASG    Access    Protocol    Direction    DestinationPortRanges    DestinationAddressPrefixes    DestinationASG
-----------------  ---------------  ----------  ------------------  -----------------------  -----------  --------  ----------  -----------  -----------------------  ----------------------------  ----------------
default-allow-ssh  lab              1000        *                   *                        None         Allow     Tcp         Inbound      22                       *                             None
deny               lab              200         *                   *                        None         Deny      Tcp         Inbound      22 80-90                 *                             None

"#]]);
    lab.regain(
        &[&["network", "nsg", "rule", "delete"], &nsg[..], &["-n", "deny"]].concat(),
    )
    .assert()
    .success()
    .stdout_eq("");
    assert_eq!(lab.json(&list).as_array().unwrap().len(), 1);
}

#[test]
fn a_vm_that_cannot_be_made_leaves_nothing() {
    let lab = Lab::up();
    let create = |user: &str, image: &str| {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIOqS5iRvhcDSbhPNEJ0Zr/jwCUOjZ4R1KkvYl1yUz0e";
        lab.regain(&[
            "vm",
            "create",
            "-g",
            "lab",
            "-n",
            "web",
            "--admin-username",
            user,
            "--ssh-key-values",
            key,
            "--image",
            image,
        ])
    };
    // What was typed is judged before anything is made, what ARM knows of it after.
    create("ann", "no:such:image:1").assert().code(2);
    create("root", "Debian12").assert().code(1);
    let left = lab.json(&["network", "nsg", "list", "--query", "[].name"]);
    assert_eq!(left, serde_json::json!(["vm1NSG"]));

    let output = create("ann", "Debian12").assert().success().get_output().clone();
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys: Vec<&String> = summary.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "fqdns",
            "id",
            "location",
            "macAddress",
            "powerState",
            "privateIpAddress",
            "publicIpAddress",
            "resourceGroup"
        ]
    );
    assert_eq!(summary["powerState"], "VM running");
}

#[test]
fn power_and_access_go_through_their_verbs() {
    let lab = Lab::up();
    let vm = ["-g", "lab", "-n", "vm1"];
    let state = || {
        let line = [&["vm", "show", "-d", "--query", "powerState"], &vm[..]].concat();
        lab.json(&line)
    };
    lab.regain(&[&["vm", "stop"], &vm[..]].concat()).assert().success();
    assert_eq!(state(), "VM stopped");
    lab.regain(&[&["vm", "deallocate"], &vm[..]].concat()).assert().success();
    assert_eq!(state(), "VM deallocated");
    lab.regain(&[&["vm", "start"], &vm[..]].concat()).assert().success();
    let restarted = lab.json(&[&["vm", "restart"], &vm[..]].concat());
    assert_eq!(restarted["status"], "Succeeded");

    let reset = lab.json(&[&["vm", "user", "reset-ssh"], &vm[..]].concat());
    assert_eq!(reset["typePropertiesType"], "VMAccessForLinux");
    assert_eq!(reset["name"], "enablevmaccess");
    assert!(reset.get("protectedSettings").is_none());
}
