//! What is not known stays so up to the verdict, and says why.

use formats::packet_filter::{Block, Fate, Listing, Packet, Tool};
use serde_json::{Value, json};

use super::{fate, judge, reply, syn};

fn stranger() -> Packet {
    Packet { source: None, ..syn() }
}

fn saved(rules: &str) -> String {
    format!("*filter\n:INPUT ACCEPT [0:0]\n{rules}\nCOMMIT\n")
}

fn of_iptables(rules: &str, packet: &Packet) -> Fate {
    let text = saved(rules);
    fate(&Listing { iptables_nft: Some(&text), ..Listing::default() }, packet)
}

fn reasons(fate: Fate) -> String {
    match fate {
        Fate::Unknown(because) => because.join("\n"),
        known => panic!("it is known: {known:?}"),
    }
}

#[test]
fn iptables_alone_is_evidence() {
    let rule = "-A INPUT -p tcp --dport 22 -j DROP";
    assert_eq!(of_iptables(rule, &syn()), Fate::Block(Block::Drop));
}

#[test]
fn an_address_that_nobody_knows_is_named_as_the_reason() {
    let because = reasons(of_iptables("-A INPUT -s 203.0.113.0/24 -j DROP", &stranger()));
    assert_eq!(
        because,
        "ip filter INPUT: cannot tell whether `-s 203.0.113.0/24 -j DROP` applies, it depends \
         on the client's address"
    );
}

#[test]
fn the_same_unknown_address_is_the_same_in_every_rule() {
    let rules =
        "-A INPUT -s 203.0.113.0/24 -j DROP\n-A INPUT ! -s 203.0.113.0/24 -j DROP";
    assert_eq!(of_iptables(rules, &stranger()), Fate::Block(Block::Drop));
}

#[test]
fn blocked_for_certain_is_not_known_in_which_way() {
    let text = saved("-A INPUT -s 203.0.113.0/24 -j DROP\n-A INPUT -j REJECT");
    let listing = Listing { iptables_nft: Some(&text), ..Listing::default() };
    let judgement = judge(&listing, &stranger());
    assert_eq!(judgement.blockers.len(), 2);
    assert!(reasons(judgement.fate).contains("the client's address"));
}

#[test]
fn a_set_whose_elements_nobody_lists_is_unknown() {
    let because =
        reasons(of_iptables("-A INPUT -m set --match-set bad src -j DROP", &syn()));
    assert!(because.contains("the elements of the ipset bad"), "{because}");
    let drop = json!([{"match": {"op": "==", "left": {"payload":
        {"protocol": "ip", "field": "saddr"}}, "right": "@gone"}}, {"drop": null}]);
    let because = reasons(of_nft(&drop));
    assert!(because.contains("the elements of the set gone"), "{because}");
}

#[test]
fn a_module_that_nobody_knows_is_a_condition() {
    reasons(of_iptables("-A INPUT -m rpfilter --invert -j DROP", &syn()));
    reasons(of_iptables("-A INPUT -m socket -j DROP", &syn()));
}

#[test]
fn each_family_has_its_own_tables() {
    let text = saved("-A INPUT -p tcp -m tcp --dport 22 -j DROP");
    let v6 = Packet {
        source: Some("2001:db8::1".parse().expect("an address")),
        destination: Some("2001:db8::4".parse().expect("an address")),
        v6: true,
        ..syn()
    };
    let (drop, text) = (Fate::Block(Block::Drop), Some(text.as_str()));
    let of = |listing: Listing| (fate(&listing, &syn()), fate(&listing, &v6));
    let ipv4 = (drop.clone(), Fate::Accept);
    let ipv6 = (Fate::Accept, drop);
    assert_eq!(of(Listing { iptables_nft: text, ..Listing::default() }), ipv4);
    assert_eq!(of(Listing { iptables_legacy: text, ..Listing::default() }), ipv4);
    assert_eq!(of(Listing { ip6tables_nft: text, ..Listing::default() }), ipv6);
    let legacy = Listing { ip6tables_legacy: text, ..Listing::default() };
    assert_eq!(of(legacy), ipv6);
    assert_eq!(judge(&legacy, &v6).blockers[0].tool, Tool::Ip6tablesLegacy);
}

#[test]
fn what_could_not_be_listed_may_block() {
    let listing =
        Listing { unlisted: &["nft could not be listed"], ..Listing::default() };
    assert_eq!(reasons(fate(&listing, &syn())), "nft could not be listed");
}

#[test]
fn a_reply_does_not_come_by_chains_of_nat() {
    let text =
        "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -m owner --uid-owner 5 -j DNAT\n";
    let listing = Listing { iptables_legacy: Some(text), ..Listing::default() };
    assert_eq!(fate(&listing, &reply()), Fate::Accept);
}

fn of_nft(expressions: &Value) -> Fate {
    let nft = json!({"nftables": [
        {"chain": {"family": "ip", "table": "t", "name": "i", "hook": "input", "prio": 0}},
        {"rule": {"family": "ip", "table": "t", "chain": "i", "expr": expressions}}]});
    fate(&Listing { nft: Some(&nft), ..Listing::default() }, &syn())
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
    let nft = json!({"nftables": objects});
    let listing = Listing { nft: Some(&nft), ..Listing::default() };
    assert!(!reasons(fate(&listing, &syn())).is_empty());
}

#[test]
fn a_list_of_ten_thousand_is_one_question() {
    let elements: Vec<Value> = (0..10_000_u32)
        .map(|n| json!(format!("203.{}.{}.7", n / 100, n % 100)))
        .collect();
    let nft = json!({"nftables": [
        {"set": {"family": "ip", "table": "t", "name": "bad", "elem": elements}},
        {"chain": {"family": "ip", "table": "t", "name": "i", "hook": "input", "prio": 0}},
        {"rule": {"family": "ip", "table": "t", "chain": "i", "expr": [{"match":
            {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
             "right": "@bad"}}, {"drop": null}]}}]});
    let listing = Listing { nft: Some(&nft), ..Listing::default() };
    assert_eq!(fate(&listing, &syn()), Fate::Accept);
    assert!(reasons(fate(&listing, &stranger())).contains("the client's address"));
}
