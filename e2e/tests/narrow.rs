//! What a repair does not do: change anything before it was shown, open more than was
//! closed, or act on what is not known.

use e2e::{Disk, Lab};

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("echo 'PermitRootLogn no' >/etc/ssh/sshd_config.d/90-x.conf; systemctl restart ssh");
    let before = Disk::of(&vm);
    let ran = lab.say("repair -g lab -n vm1 --dry-run");
    assert_eq!(before.changes(&before.later(&vm)), Default::default(), "{ran:#?}");
    assert_ne!(vm.ssh("true").exit, 0, "{ran:#?}");
    let lines = |sign: char| {
        let shown = ran.stdout.lines().map(str::trim_start);
        shown
            .filter(|line| line.starts_with(sign) && line.contains("PermitRootLogn"))
            .count()
    };
    assert_eq!((lines('-'), lines('+')), (1, 1), "{ran:#?}");
}

/// Azure does not say from which address it sees a client.
const UNKNOWN: &str = "lab weather unknown-client,hide";

/// The NSG lets in only an office.
fn office_only(lab: &Lab) {
    let rules = "network nsg rule list -g lab --nsg-name vm1NSG --query [].name -o tsv";
    for name in lab.say(rules).ok().stdout.lines() {
        lab.say(&format!("network nsg rule delete -g lab --nsg-name vm1NSG -n {name}"))
            .ok();
    }
    lab.say(
        "network nsg rule create -g lab --nsg-name vm1NSG -n office --priority 300 \
         --access Allow --protocol Tcp --destination-port-ranges 22 \
         --source-address-prefixes 203.0.113.0/24",
    )
    .ok();
}

#[test]
fn an_address_that_is_not_known_is_asked_for_and_not_made_up() {
    let lab = Lab::up();
    office_only(&lab);
    let key = lab.vm().key();
    lab.say(UNKNOWN).ok();
    let run = |words: &[&str]| {
        let rest = ["-g", "lab", "-n", "vm1", "-i", &key];
        lab.regain(&[words, &rest].concat())
    };

    let text = run(&["diagnose"]);
    for word in ["203.0.113.0/24", "--client-address"] {
        assert!(text.stdout.contains(word), "{word}: {text:#?}");
    }
    let verdict = run(&["diagnose", "-o", "json"]).json();
    let decided = |verdict: &serde_json::Value| {
        verdict["causes"][0]["fault"] == "net.nsg-deny"
            && verdict["causes"][0]["confidence"] == "certain"
    };
    assert!(!decided(&verdict), "{verdict}");
    let outside = ["diagnose", "-o", "json", "--client-address", "198.51.100.7"];
    let verdict = run(&outside).json();
    assert!(decided(&verdict), "{verdict}");

    let rules = || lab.say("network nsg rule list -g lab --nsg-name vm1NSG").ok().stdout;
    let before = rules();
    let repaired = run(&["repair", "-o", "json"]);
    assert_ne!(repaired.exit, 0, "{repaired:#?}");
    assert_eq!(rules(), before, "a rule was written for nobody");
}

#[test]
fn the_address_that_was_named_is_let_in_and_nobody_else() {
    let lab = Lab::up();
    office_only(&lab);
    let key = lab.vm().key();
    lab.say(UNKNOWN).ok();
    let address = seen_from(&lab);
    let line = ["repair", "-g", "lab", "-n", "vm1", "-i", &key, "-o", "json"];
    let line = [&line[..], &["--client-address", &address]].concat();
    let ran = lab.regain(&line);
    assert_eq!(ran.exit, 0, "{ran:#?}");
    lab.vm().ssh("true").ok();
    let rules = lab.say("network nsg rule list -g lab --nsg-name vm1NSG -o json").ok();
    let rules = rules.json();
    let mut sources: Vec<&str> = rules
        .as_array()
        .expect("rules")
        .iter()
        .filter(|rule| rule["access"] == "Allow")
        .map(|rule| rule["sourceAddressPrefix"].as_str().unwrap_or("several"))
        .map(|source| source.trim_end_matches("/32"))
        .collect();
    sources.sort_unstable();
    assert_eq!(sources, [address.as_str(), "203.0.113.0/24"]);
}

/// The address that the network sees this host as: the slot's own, see the fabric.
fn seen_from(lab: &Lab) -> String {
    let host: std::net::Ipv4Addr = lab.vm().host().parse().expect("an address");
    format!("198.19.{}.1", host.octets()[2] / 4)
}
