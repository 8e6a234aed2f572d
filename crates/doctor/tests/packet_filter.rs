//! The packet filter's evaluator against the kernel.
//!
//! `tests/rulesets/*.json` were made on a Debian 12: each ruleset was loaded into
//! a network namespace with a listener on port 22, `kernel` is what a connect
//! from a second namespace (198.18.0.1 to 198.18.0.4) met there, and `nft` and
//! `iptablesNft` are what the tools then listed.

use doctor::case::{Case, Firewall, NetworkPath, Section, Target};
use doctor::facts::{self, FirewallFacts, FirewallVerdict};
use serde_json::{Value, json};

fn rulesets(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the file is JSON")
}

fn judge(firewall: Firewall) -> FirewallFacts {
    let target = Target {
        user: "azureuser".to_owned(),
        host: "198.18.0.4".to_owned(),
        port: 22,
        resource_id: None,
        identity: None,
    };
    let mut case = Case::new(target, "2026-11-22T12:00:00Z".to_owned());
    case.network = Section::Collected(NetworkPath {
        client_address: Some("198.18.0.1".to_owned()),
        public_addresses: vec![],
        private_address: Some("198.18.0.4".to_owned()),
        nic: None,
        inbound: None,
        reply_next_hop: None,
        reply_route_table: None,
        used_priorities: vec![],
    });
    let interfaces = [("lo", "127.0.0.1"), ("eth0", "198.18.0.4")];
    let interfaces =
        interfaces.map(|(name, address)| (name.to_owned(), vec![address.to_owned()]));
    case.firewall =
        Section::Collected(Firewall { interfaces: interfaces.into(), ..firewall });
    facts::derive(&case).firewall.expect("the section is there")
}

/// What the client meets: a reply that is blocked looks like a drop.
fn outcome(facts: &FirewallFacts) -> Value {
    match (facts.verdict, facts.reply) {
        (Some(FirewallVerdict::Accept), Some(FirewallVerdict::Accept)) => json!("accept"),
        (None, _) | (Some(FirewallVerdict::Accept), None) => json!("unknown"),
        (Some(FirewallVerdict::Accept), _) => json!("drop"),
        (verdict, _) => json!(verdict),
    }
}

#[test]
fn nftables_rules_do_what_the_kernel_does() {
    for ruleset in rulesets(include_str!("rulesets/nft.json")) {
        let facts =
            judge(Firewall { nft: Some(ruleset["nft"].clone()), ..Firewall::default() });
        // nft 1.0.6 prints a dormant table's flag wrongly, so nobody can tell.
        let expected = if ruleset["name"] == "dormant" {
            &json!("unknown")
        } else {
            &ruleset["kernel"]
        };
        assert_eq!(&outcome(&facts), expected, "{}: {facts:#?}", ruleset["name"]);
    }
}

#[test]
fn iptables_rules_do_what_the_kernel_does_in_both_kinds() {
    for ruleset in rulesets(include_str!("rulesets/iptables.json")) {
        let text = ruleset["iptablesNft"].as_str().map(str::to_owned);
        let nft = Firewall {
            nft: Some(ruleset["nft"].clone()),
            iptables_nft: text.clone(),
            ..Firewall::default()
        };
        let legacy = Firewall { iptables_legacy: text, ..Firewall::default() };
        for facts in [judge(nft), judge(legacy)] {
            assert_eq!(
                outcome(&facts),
                ruleset["kernel"],
                "{}: {facts:#?}",
                ruleset["name"]
            );
        }
    }
}

#[test]
fn a_chain_is_edited_with_the_tool_that_made_it() {
    let drop = json!([{"match": {"op": "==", "left": {"payload":
        {"protocol": "tcp", "field": "dport"}}, "right": 22}}, {"drop": null}]);
    let nft = json!({"nftables": [
        {"chain": {"family": "ip", "table": "raw", "name": "p", "hook": "prerouting", "prio": -300}},
        {"rule": {"family": "ip", "table": "raw", "chain": "p", "handle": 2, "expr": drop}}]});
    let saved = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
    let facts = judge(Firewall {
        nft: Some(nft),
        iptables_nft: Some(saved.to_owned()),
        ..Firewall::default()
    });
    assert_eq!((facts.blockers[0].tool, facts.blockers[0].place), ("nft", Some(2)));
}

#[test]
fn opaque_rules_are_never_guessed() {
    for ruleset in rulesets(include_str!("rulesets/iptables.json")) {
        let facts =
            judge(Firewall { nft: Some(ruleset["nft"].clone()), ..Firewall::default() });
        let outcome = outcome(&facts);
        assert!(
            outcome == ruleset["kernel"] || outcome == "unknown",
            "{}: {outcome}, {facts:#?}",
            ruleset["name"]
        );
    }
}

#[test]
fn without_a_listing_there_is_no_verdict() {
    assert_eq!(judge(Firewall::default()).verdict, None);
}

#[test]
fn the_deciding_rule_is_named_with_its_place() {
    let all = rulesets(include_str!("rulesets/nft.json"));
    let named = |name: &str| {
        let ruleset = all.iter().find(|one| one["name"] == name).expect("it is there");
        judge(Firewall { nft: Some(ruleset["nft"].clone()), ..Firewall::default() })
    };
    let facts = named("nested");
    let blocker = &facts.blockers[0];
    assert_eq!((blocker.chain.as_str(), blocker.rule.as_str()), ("c", "drop"));
    assert!(blocker.text.starts_with("nft table inet t, chain c: drop (handle "));
    assert_eq!(facts.blockers.len(), 1);
    let facts = named("policy");
    assert_eq!(facts.blockers[0].rule, "policy drop");
    assert_eq!((facts.blockers[0].tool, facts.blockers[0].place), ("nft", None));
    assert_eq!(
        named("concat").blockers[0].rule,
        "ip saddr . tcp dport { 198.18.0.1 . 22 } drop"
    );
}

fn netdev(device: Value, chains: Option<&str>) -> Option<FirewallVerdict> {
    let mut chain = json!({"family": "netdev", "table": "nd", "name": "ing", "handle": 1,
        "type": "filter", "hook": "ingress", "prio": 0, "policy": "accept"});
    chain["dev"] = device;
    let rule = json!({"family": "netdev", "table": "nd", "chain": "ing", "handle": 2, "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
                   "right": 22}}, {"drop": null}]});
    let nft = json!({"nftables": [{"chain": chain}, {"rule": rule}]});
    let nft_chains = chains.map(str::to_owned);
    judge(Firewall { nft: Some(nft), nft_chains, ..Firewall::default() }).verdict
}

#[test]
fn a_device_s_chain_sees_only_its_device() {
    assert_eq!(netdev(json!("eth0"), None), Some(FirewallVerdict::Drop));
    assert_eq!(netdev(json!("eth1"), None), Some(FirewallVerdict::Accept));
    assert_eq!(netdev(json!(null), None), None);
    let listing = |devices: &str| {
        format!(
            "table inet a {{\n\tchain ing {{\n\t\ttype x\n\t}}\n}}\ntable netdev nd {{\n\tchain \
             ing {{\n\t\ttype filter hook ingress {devices} priority filter; policy accept;\n"
        )
    };
    let by_text = |devices: &str| netdev(json!(null), Some(&listing(devices)));
    assert_eq!(by_text("device \"eth0\""), Some(FirewallVerdict::Drop));
    assert_eq!(by_text("device \"lo\""), Some(FirewallVerdict::Accept));
    assert_eq!(by_text("devices = { \"lo\", \"eth0\" }"), Some(FirewallVerdict::Drop));
}

#[test]
fn chains_that_jump_in_circles_come_to_an_end() {
    let jump = |from: &str, to: &str| {
        json!({"rule": {"family": "ip", "table": "t", "chain": from,
            "expr": [{"limit": {"rate": 1, "per": "second"}}, {"jump": {"target": to}}]}})
    };
    let mut objects = vec![json!({"chain": {"family": "ip", "table": "t", "name": "a",
        "hook": "input", "prio": 0, "policy": "accept"}})];
    for _ in 0..20 {
        objects.extend([jump("a", "b"), jump("b", "a"), jump("b", "b")]);
    }
    let nft = Some(json!({"nftables": objects}));
    let facts = judge(Firewall { nft, ..Firewall::default() });
    assert_eq!(facts.verdict, None);
}
