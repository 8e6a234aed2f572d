//! Recorded rulesets: what the kernel did with them.
//!
//! `rulesets/*.json` were made on a Debian 12: each ruleset was loaded into
//! a network namespace with a listener on port 22, `kernel` is what a connect
//! from a second namespace (198.18.0.1 to 198.18.0.4) met there, and `nft` and
//! `iptablesNft` are what the tools then listed.

use formats::packet_filter::{Block, Fate, Judgement, Listing, Packet, Tool};
use serde_json::{Value, json};

use super::{fate, judge, reply, syn};

fn rulesets(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the file is JSON")
}

fn nft_rulesets() -> Vec<Value> {
    rulesets(include_str!("rulesets/nft.json"))
}

fn iptables_rulesets() -> Vec<Value> {
    rulesets(include_str!("rulesets/iptables.json"))
}

/// What the client meets: a reply that is blocked looks like a drop.
fn outcome(listing: &Listing) -> &'static str {
    match (fate(listing, &syn()), fate(listing, &reply())) {
        (Fate::Accept, Fate::Accept) => "accept",
        (Fate::Unknown(_), _) | (Fate::Accept, Fate::Unknown(_)) => "unknown",
        (Fate::Accept, Fate::Block(_)) | (Fate::Block(Block::Drop), _) => "drop",
        (Fate::Block(Block::Reset), _) => "reject-rst",
        (Fate::Block(Block::Icmp(code)), _) if code == "port-unreachable" => "reject-rst",
        (Fate::Block(Block::Icmp(_)), _) => "reject-icmp",
    }
}

fn nft(ruleset: &Value) -> Listing<'_> {
    Listing { nft: Some(&ruleset["nft"]), ..Listing::default() }
}

#[test]
fn nftables_rules_do_what_the_kernel_does() {
    for ruleset in nft_rulesets() {
        // nft 1.0.6 prints a dormant table's flag wrongly, so nobody can tell.
        let dormant = ruleset["name"] == "dormant";
        let expected = if dormant { &json!("unknown") } else { &ruleset["kernel"] };
        assert_eq!(outcome(&nft(&ruleset)), expected, "{}", ruleset["name"]);
    }
}

#[test]
fn iptables_rules_do_what_the_kernel_does_whoever_lists_them() {
    for ruleset in iptables_rulesets() {
        let text = ruleset["iptablesNft"].as_str();
        for listing in [
            Listing { iptables_nft: text, ..nft(&ruleset) },
            Listing { iptables_nft: text, ..Listing::default() },
            Listing { iptables_legacy: text, ..Listing::default() },
        ] {
            assert_eq!(outcome(&listing), ruleset["kernel"], "{listing:?}");
        }
    }
}

#[test]
fn opaque_rules_are_never_guessed() {
    for ruleset in iptables_rulesets() {
        let outcome = outcome(&nft(&ruleset));
        let right = outcome == ruleset["kernel"] || outcome == "unknown";
        assert!(right, "{}: {outcome}", ruleset["name"]);
    }
}

#[test]
fn the_deciding_rule_is_named_with_its_place() {
    let all = nft_rulesets();
    let named = |name: &str| -> Judgement {
        let ruleset = all.iter().find(|one| one["name"] == name).expect("it is there");
        judge(&nft(ruleset), &syn())
    };
    let rule = |judgement: &Judgement| {
        judgement.blockers[0].rule.as_ref().map(|rule| rule.text.clone())
    };
    let nested = named("nested");
    assert_eq!(nested.blockers.len(), 1);
    assert_eq!(nested.blockers[0].chain, "c");
    assert_eq!(rule(&nested).as_deref(), Some("drop"));
    assert_eq!(rule(&named("policy")), None);
    let text = rule(&named("concat"));
    assert_eq!(text.as_deref(), Some("ip saddr . tcp dport { 198.18.0.1 . 22 } drop"));
}

#[test]
fn a_chain_is_edited_with_the_tool_that_made_it() {
    let drop = json!([{"match": {"op": "==", "left": {"payload":
        {"protocol": "tcp", "field": "dport"}}, "right": 22}}, {"drop": null}]);
    let listed = json!({"nftables": [
        {"chain": {"family": "ip", "table": "raw", "name": "p", "hook": "prerouting", "prio": -300}},
        {"rule": {"family": "ip", "table": "raw", "chain": "p", "handle": 2, "expr": drop}}]});
    let saved = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
    let listing =
        Listing { nft: Some(&listed), iptables_nft: Some(saved), ..Listing::default() };
    assert_eq!(judge(&listing, &syn()).blockers[0].tool, Tool::Nft);
}

fn netdev(device: Value, chains: Option<&str>, packet: &Packet) -> Fate {
    let mut chain = json!({"family": "netdev", "table": "nd", "name": "ing", "handle": 1,
        "type": "filter", "hook": "ingress", "prio": 0, "policy": "accept"});
    chain["dev"] = device;
    let rule = json!({"family": "netdev", "table": "nd", "chain": "ing", "handle": 2, "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
                   "right": 22}}, {"drop": null}]});
    let nft = json!({"nftables": [{"chain": chain}, {"rule": rule}]});
    fate(&Listing { nft: Some(&nft), nft_chains: chains, ..Listing::default() }, packet)
}

#[test]
fn a_device_s_chain_sees_only_its_device() {
    let drop = Fate::Block(Block::Drop);
    assert_eq!(netdev(json!("eth0"), None, &syn()), drop);
    assert_eq!(netdev(json!("eth1"), None, &syn()), Fate::Accept);
    assert!(matches!(netdev(json!(null), None, &syn()), Fate::Unknown(_)));
    let somewhere = Packet { interface: None, ..syn() };
    assert!(matches!(netdev(json!("eth0"), None, &somewhere), Fate::Unknown(_)));
    let listing = |devices: &str| {
        format!(
            "table inet a {{\n\tchain ing {{\n\t\ttype x\n\t}}\n}}\ntable netdev nd {{\n\tchain \
             ing {{\n\t\ttype filter hook ingress {devices} priority filter; policy accept;\n"
        )
    };
    let by_text = |devices: &str| netdev(json!(null), Some(&listing(devices)), &syn());
    assert_eq!(by_text("device \"eth0\""), drop);
    assert_eq!(by_text("device \"lo\""), Fate::Accept);
    assert_eq!(by_text("devices = { \"lo\", \"eth0\" }"), drop);
}
