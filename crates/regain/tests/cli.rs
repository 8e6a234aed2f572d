//! The command as it is typed: usage, failures and their next steps, formats.
//!
//! Nothing here needs a lab or sends a packet: every call has an empty state
//! directory and an environment without a cloud.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;

/// `regain`, knowing of no cloud.
fn regain(line: &[&str]) -> Command {
    let state = std::env::temp_dir().join("regain-tests-no-lab");
    let command = ["PATH", "HOME", "USER", "REGAIN_ENDPOINT", "REGAIN_CLOUD", "LC_ALL"]
        .into_iter()
        .chain(["REGAIN_CONFIG_DIR", "XDG_CONFIG_HOME"])
        .fold(Command::new(cargo_bin!("regain")), Command::env_remove);
    command.env("LANG", "C.UTF-8").env("REGAIN_STATE", state).args(line)
}

#[test]
fn without_a_cloud_the_next_step_is_named() {
    regain(&["vm", "list"]).assert().code(1).stdout_eq("").stderr_eq(str![[r#"
ERROR: there is no cloud to ask: no lab is running, and nobody is logged in to Azure
Next step: `regain lab up` for a local cloud; or `az login`; or set REGAIN_ENDPOINT, REGAIN_TENANT, REGAIN_CLIENT_ID and REGAIN_CLIENT_SECRET

"#]]);
}

#[test]
fn a_private_key_that_is_typed_by_mistake_is_not_quoted() {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----";
    let line =
        ["vm", "user", "update", "-g", "g", "-n", "n", "-u", "u", "--ssh-key-value", key];
    regain(&line).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: a private key was given where a public one belongs: name the file that ends in .pub

"#]]);
}

#[test]
fn a_lab_that_is_not_up_is_said_to_be_down() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().display().to_string();
    for line in [&["lab", "status"][..], &["lab", "env"], &["vm", "list"]] {
        let line = [line, &["--state", &state]].concat();
        regain(&line).assert().code(1).stderr_eq(str![[r#"
ERROR: no lab is running in [..]
Next step: start one with `regain lab up`, or name another with --state

"#]]);
    }
}

#[test]
fn a_cloud_that_does_not_answer_is_named() {
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    regain(&["group", "list"])
        .env("REGAIN_ENDPOINT", format!("http://{closed}"))
        .env("REGAIN_ACCESS_TOKEN", "t")
        .assert()
        .code(1)
        .stderr_eq(str![[r#"
ERROR: no answer to GET http://127.0.0.1:[..]/metadata/endpoints: [..]refused[..]
Next step: check that the cloud runs: `regain lab status`; start it with `regain lab up`

"#]]);
}

#[test]
fn usage_errors_exit_with_2() {
    for line in [
        &["vm", "start", "--ids", "/x", "-g", "lab"][..],
        &["diagnose", "--from", "a", "--save", "b"],
        &["repair", "--allow", "everything", "host"],
        &["vm", "list", "--query", "a["],
        &["vm", "list", "-o", "xml"],
        &["serve", "--listen", "0.0.0.0:0"],
        &["diagnose"],
        &["diagnose", "-g", "lab"],
        &["diagnose", "user@-oProxyCommand=x"],
        &["lab", "exec", "vm1"],
        &["frobnicate"],
    ] {
        regain(line).assert().code(2);
    }
}

#[test]
fn a_query_that_is_no_jmespath_is_explained() {
    regain(&["faults", "list", "--query", "a["]).assert().code(2).stderr_eq(str![[r#"
error: invalid value 'a[' for '--query <JMESPATH>': invalid jmespath_type value: 'a[': [..]

For more information, try '--help'.

"#]]);
}

#[test]
fn an_unknown_fault_is_not_found() {
    regain(&["explain", "sshd.frobnicated"]).assert().code(3).stdout_eq("").stderr_eq(
        str![[r#"
ERROR: there is no fault 'sshd.frobnicated'
Next step: see `regain faults list --layer sshd`

"#]],
    );
    regain(&["explain", "sshd.bad-option"]).assert().code(3).stderr_eq(str![[r#"
ERROR: there is no fault 'sshd.bad-option'
Next step: did you mean sshd.config-bad-option? see `regain faults list`

"#]]);
}

#[test]
fn faults_are_listed_and_explained_in_both_languages() {
    let titles = |lang: &str| {
        let line = ["faults", "list", "--lang", lang, "-o", "tsv", "--query", "[].title"];
        let output = regain(&line).assert().success().get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    };
    let (english, japanese) = (titles("en"), titles("ja"));
    assert!(english.is_ascii());
    assert_eq!(english.lines().count(), japanese.lines().count());
    assert!(japanese.lines().all(|title| !title.is_ascii()), "{japanese}");
    regain(&["explain", "client.key-perms"])
        .env("LANG", "ja_JP.UTF-8")
        .assert()
        .success()
        .stdout_eq(str![[r#"
client.key-perms: [..]
...
判定条件
...
"#]]);
}

#[test]
fn a_columns_order_is_the_querys() {
    regain(&[
        "faults",
        "list",
        "-o",
        "table",
        "--query",
        "[?fault=='client.key-perms'].{Layer: layer, Fault: fault}",
    ])
    .assert()
    .success()
    .stdout_eq(str![[r#"
Layer    Fault
-------  ----------------
client   client.key-perms

"#]]);
}

#[test]
fn a_case_file_that_is_none_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    for (content, why) in [
        ("", "EOF while parsing"),
        ("[1]", "`version` is missing"),
        (r#"{"version": 99}"#, "it has version 99, and this build reads version 2"),
        (r#"{"version": 1}"#, "it has version 1, from a time"),
        (r#"{"version": 2}"#, "missing field"),
    ] {
        let file = dir.path().join("case.json");
        fs::write(&file, content).unwrap();
        let line = ["diagnose", "--from", file.to_str().unwrap()];
        let output = regain(&line).assert().code(2).get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("is not a case file") && said.contains(why), "{said}");
        assert!(said.contains("Next step: "), "{said}");
    }
    regain(&["diagnose", "--from", "/nonexistent"]).assert().code(2);
}

#[test]
fn an_unknown_undo_is_not_found() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().display().to_string();
    let id = "20260101T000000Z-abcd";
    let output = regain(&["undo", id])
        .env("REGAIN_STATE_HOME", &state)
        .assert()
        .get_output()
        .clone();
    assert!(matches!(output.status.code(), Some(2 | 3)), "{output:?}");
}

#[test]
fn somebody_elses_directory_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("precious");
    fs::write(&file, "x").unwrap();
    let line = ["lab", "down", "--state", dir.path().to_str().unwrap()];
    regain(&line).assert().code(2).stderr_eq(str![[r#"
ERROR: [..] is not a lab's state directory; nothing was removed
Next step: name the lab's with --state

"#]]);
    assert!(file.exists());
}

#[test]
fn completions_and_man_pages_are_written() {
    for shell in ["bash", "zsh", "fish"] {
        let output =
            regain(&["completion", shell]).assert().success().get_output().clone();
        assert!(
            String::from_utf8(output.stdout).unwrap().contains("reset-ssh"),
            "{shell}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let man = dir.path().join("man");
    regain(&["man", man.to_str().unwrap()]).assert().success();
    assert!(man.join("regain.1").is_file());
    assert!(man.join("regain-vm-user-reset-ssh.1").is_file());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = std::process::Command::new(cargo_bin!("regain"))
        .args(["faults", "list", "-o", "json"])
        .stdout(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn bad_ids_are_all_named_before_anything_is_asked() {
    let good =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/a";
    regain(&["vm", "restart", "--ids", "-"])
        .stdin(format!("# mine\n{good}\nvm2\n\n/subscriptions/s # not a VM\n"))
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
ERROR: line 3: 'vm2' is not a resource id: [..]
line 5: '/subscriptions/s' is not the id of a VM
Next step: an id is [..]

"#]]);
}

#[test]
fn settings_are_checked_before_anything_is_asked() {
    let line =
        ["vm", "extension", "set", "-g", "g", "--vm-name", "v", "-n", "X", "-p", "P"];
    let line = [&line[..], &["--protected-settings", "{\"password\": hunter2}"]].concat();
    regain(&line).assert().code(2).stderr_eq(str![[r#"
ERROR: --protected-settings: not JSON at line 1, column 14: [..]
Next step: [..]

"#]]);
}

#[test]
fn the_classic_words_are_taken() {
    regain(&["classic", "config", "mode", "arm"])
        .assert()
        .success()
        .stdout_eq("info:    New mode is arm\n");
    for line in [
        &["classic", "config", "mode", "asm"][..],
        &["classic", "vm", "reset-access", "g", "v"],
        &["classic", "vm", "reset-access", "g", "v", "-r", "-u", "me", "-p", "x"],
        &["classic", "vm", "restart", "g"],
        &["classic", "vm", "restart", "-g", "g", "v", "w"],
    ] {
        regain(line).assert().code(2);
    }
}

#[test]
fn clouds_are_registered_set_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = |line: &[&str]| {
        regain(&[&["cloud"], line].concat()).env("REGAIN_CONFIG_DIR", dir.path()).assert()
    };
    let own = [
        "register",
        "-n",
        "Own",
        "--skip-endpoint-discovery",
        "--endpoint-resource-manager",
        "https://127.0.0.1:1",
        "--endpoint-active-directory",
        "https://127.0.0.1:1/adfs",
    ];
    cloud(&own).code(1).stderr_eq(str![[r#"
ERROR: The following endpoints are required for the CLI to function [..]
Specify them on the command line or through the cloud config file:
--endpoint-active-directory-resource-id

"#]]);
    let own =
        [&own[..], &["--endpoint-active-directory-resource-id", "https://own/"]].concat();
    cloud(&own).success();
    cloud(&own).code(1).stderr_eq("ERROR: The cloud 'Own' is already registered.\n");
    cloud(&["set", "-n", "own"]).success();
    cloud(&["list", "--query", "[?isActive].name", "-o", "tsv"])
        .success()
        .stdout_eq("Own\n");
    cloud(&["unregister", "-n", "AzureCloud"]).code(1);
    cloud(&["unregister", "-n", "Own"]).success();
    cloud(&["show", "-o", "table"]).success().stdout_eq(str![[r#"
IsActive    Name        Profile
----------  ----------  ---------
True        AzureCloud  latest

"#]]);
}

#[test]
fn a_vm_without_its_group_or_name_is_as_in_az() {
    regain(&["vm", "show", "-g", "lab"])
        .assert()
        .code(1)
        .stderr_eq("ERROR: (--name | --ids) are required\n");
    regain(&["vm", "restart", "-n", "vm1"])
        .assert()
        .code(1)
        .stderr_eq("ERROR: (--resource-group | --ids) are required\n");
}
