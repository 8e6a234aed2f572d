//! The gauntlet: every fault from its own file, and cases from anywhere.

use e2e::Lab;

#[test]
fn every_fault_that_can_be_injected_is_named_repaired_and_undone() {
    let lab = Lab::up();
    let ran = lab.regain(&["lab", "gauntlet", "-o", "json"]);
    let summary = ran.json();
    assert_eq!(summary["wrong"], serde_json::json!([]), "{ran:#?}");
    assert_eq!(summary["undetermined"], serde_json::json!([]), "{ran:#?}");
    assert_eq!(summary["falseAlarms"], 0, "{ran:#?}");
    assert_eq!(summary["named"], summary["cases"], "{ran:#?}");
    // Whatever could not be carried through, an undo that differs included, is here.
    assert_eq!(summary["failed"], serde_json::json!([]), "{ran:#?}");
}

#[test]
fn pairs_of_faults_are_named_and_repaired_one_after_the_other() {
    let lab = Lab::up();
    // Another sample each day: what is wrong with a pair comes to light by and by.
    let ran = lab.regain(&["lab", "gauntlet", "--pairs", "6", "-o", "json"]);
    let summary = ran.json();
    assert_eq!(summary["cases"], 6, "{ran:#?}");
    assert_eq!(summary["wrong"], serde_json::json!([]), "{ran:#?}");
    assert_eq!(summary["undetermined"], serde_json::json!([]), "{ran:#?}");
    assert_eq!(summary["failed"], serde_json::json!([]), "{ran:#?}");
}

#[test]
fn cases_come_from_any_directory() {
    let lab = Lab::up();
    let cases = lab.home().join("cases");
    std::fs::create_dir(&cases).expect("a directory");
    std::fs::write(
        cases.join("deny-by-platform.toml"),
        "fault = \"net.nsg-deny\"\nrepairable = true\n[inject]\nwhere = \"platform\"\nscript = \"\"\"\n\
         regain network nsg rule create -g $RG --nsg-name ${VM}NSG -n no-ssh --priority 101 \
         --access Deny --protocol Tcp --destination-port-ranges 20-25 -o none\n\"\"\"\n",
    )
    .expect("a case");
    std::fs::write(
        cases.join("healthy.toml"),
        "fault = \"\"\n[inject]\nwhere = \"guest\"\nscript = \"touch /etc/ssh/sshd_config\"\n",
    )
    .expect("a case");
    let ran = lab
        .regain(&["lab", "gauntlet", "--cases", &cases.to_string_lossy(), "-o", "json"])
        .ok();
    let summary = ran.json();
    assert_eq!(summary["cases"], 2, "{ran:#?}");
    assert_eq!(summary["named"], 1, "{ran:#?}");
    assert_eq!(summary["falseAlarms"], 0, "{ran:#?}");
}

#[test]
fn variants_are_named_and_healthy_ones_raise_no_alarm() {
    let lab = Lab::up();
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    let ran = lab.regain(&["lab", "gauntlet", "--cases", cases, "-o", "json"]);
    let summary = ran.json();
    assert_eq!(summary["wrong"], serde_json::json!([]), "{ran:#?}");
    assert_eq!(summary["undetermined"], serde_json::json!([]), "{ran:#?}");
    assert_eq!(summary["falseAlarms"], 0, "{ran:#?}");
}
