//! nftables' JSON (libnftables-json(5)), read for one kind of packet.
//!
//! `nft -j list ruleset` is a flat list of `table`, `chain`, `rule`, `set` and
//! `map` objects. Rules come in their order, so reading is one pass, after the
//! named sets have been gathered.

use std::collections::BTreeMap;

use serde_json::Value;

use super::condition::Condition;
use super::nft_expression::{Sets, interfaces, matches, one_of};
use super::nft_text::{rule_text, statement_text};
use super::region::Dimension;
use super::{Base, Block, Direction, Effect, Packet, Rule, Table, Verdict};

/// The tables of a listing, as the packet meets them.
///
/// `chains` is the text of `nft list chains`, for what the JSON leaves out.
pub(super) fn read(json: &Value, chains: &str, packet: &Packet) -> Vec<Table> {
    let Some(objects) = json.get("nftables").and_then(Value::as_array) else {
        return Vec::new();
    };
    let mut sets: BTreeMap<(String, String), BTreeMap<String, Value>> = BTreeMap::new();
    for object in objects {
        for kind in ["set", "map"] {
            if let Some(set) = object.get(kind) {
                let elements =
                    set.get("elem").cloned().unwrap_or(Value::Array(Vec::new()));
                sets.entry((text(set, "family"), text(set, "table")))
                    .or_default()
                    .insert(text(set, "name"), elements);
            }
        }
    }
    let mut tables: Vec<Table> = Vec::new();
    let mut asleep = Vec::new();
    for object in objects {
        if let Some(table) = object.get("table") {
            asleep.push((text(table, "family"), text(table, "name"), is_asleep(table)));
        } else if let Some(chain) = object.get("chain") {
            let table = table_of(&mut tables, chain);
            table.chains.entry(text(chain, "name")).or_default().base =
                base(chain, chains, packet);
        } else if let Some(rule) = object.get("rule") {
            let empty = BTreeMap::new();
            let named =
                sets.get(&(text(rule, "family"), text(rule, "table"))).unwrap_or(&empty);
            let rule_read = read_rule(rule, packet, named);
            let table = table_of(&mut tables, rule);
            table.chains.entry(text(rule, "chain")).or_default().rules.push(rule_read);
        }
    }
    for (family, name, asleep) in asleep {
        let table =
            tables.iter_mut().find(|one| one.family == family && one.name == name);
        let chains = table.into_iter().flat_map(|table| table.chains.values_mut());
        for base in chains.filter_map(|chain| chain.base.as_mut()) {
            base.applies =
                Condition::All(vec![base.applies.clone(), asleep.clone().not()]);
        }
    }
    tables
}

fn table_of<'a>(tables: &'a mut Vec<Table>, object: &Value) -> &'a mut Table {
    let (family, name) = (text(object, "family"), text(object, "table"));
    let index =
        tables.iter().position(|table| table.family == family && table.name == name);
    let index = index.unwrap_or_else(|| {
        tables.push(Table { family, name, ..Table::default() });
        tables.len() - 1
    });
    &mut tables[index]
}

fn text(object: &Value, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Whether a table is dormant, so that its chains hang on no hook.
///
/// `flags` is one word or a list of them. nft 1.0.6 prints the table's own name
/// there, which tells only that there is some flag.
fn is_asleep(table: &Value) -> Condition {
    let flags = match table.get("flags") {
        None => return Condition::Is(false),
        Some(Value::Array(flags)) => flags.as_slice(),
        Some(flag) => std::slice::from_ref(flag),
    };
    if flags.iter().any(|flag| flag == "dormant") {
        Condition::Is(true)
    } else if flags.iter().any(|flag| Some(flag) == table.get("name")) {
        Condition::Opaque("the table's flags, which this nft does not show".to_owned())
    } else {
        Condition::Is(false)
    }
}

fn base(chain: &Value, chains: &str, packet: &Packet) -> Option<Base> {
    let hook = chain.get("hook")?.as_str()?.to_owned();
    Some(Base {
        applies: match hook.as_str() {
            "ingress" | "egress" => on_device(chain, chains),
            // Only a connection's first packet comes by chains of this type.
            _ if packet.direction == Direction::Out && text(chain, "type") == "nat" => {
                Condition::Is(false)
            }
            _ => Condition::Is(true),
        },
        hook,
        priority: chain.get("prio").and_then(Value::as_i64).unwrap_or(0),
        policy_drops: chain.get("policy").and_then(Value::as_str) == Some("drop"),
    })
}

/// Whether a chain of one device, or of several, sees the packet.
fn on_device(chain: &Value, chains: &str) -> Condition {
    let listed = match chain.get("dev") {
        Some(Value::String(device)) => vec![device.clone()],
        Some(Value::Array(devices)) => {
            devices.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => devices(chain, chains),
    };
    if listed.is_empty() {
        return Condition::Opaque(
            "the chain's device, which this nft does not show".to_owned(),
        );
    }
    let devices = listed.iter().filter_map(|name| interfaces(name));
    Condition::Within(
        Dimension::Interface,
        devices.flat_map(|names| names.into_ranges()).collect(),
    )
}

/// The devices of a chain in the text of `nft list chains`: `device "eth0"` or
/// `devices = { "eth0", "eth1" }` on the line with its hook.
fn devices(chain: &Value, chains: &str) -> Vec<String> {
    let table = format!("table {} {} {{", text(chain, "family"), text(chain, "table"));
    let name = format!("chain {} {{", text(chain, "name"));
    let line = chains
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != table)
        .skip(1)
        .take_while(|line| !line.starts_with("table "))
        .skip_while(|line| *line != name)
        .nth(1)
        .unwrap_or_default();
    let Some((_, rest)) = line.split_once("device") else { return Vec::new() };
    let rest = rest.split(" priority ").next().unwrap_or_default();
    let words = rest.split(|c: char| " ,={}\"".contains(c));
    words.filter(|word| !word.is_empty() && *word != "s").map(str::to_owned).collect()
}

fn read_rule(rule: &Value, packet: &Packet, sets: &Sets) -> Rule {
    let statements = rule.get("expr").and_then(Value::as_array);
    let statements = statements.map_or(&[][..], Vec::as_slice);
    Rule {
        handle: rule.get("handle").and_then(Value::as_i64),
        text: rule_text(statements),
        effects: statements
            .iter()
            .filter_map(|statement| effect(statement, packet, sets))
            .collect(),
    }
}

/// What one statement does to the packet; nothing if it only counts or logs.
fn effect(statement: &Value, packet: &Packet, sets: &Sets) -> Option<Effect> {
    let opaque = || Condition::Opaque(format!("`{}`", statement_text(statement)));
    let unknown = || Some(Effect::Test(opaque()));
    let Some((kind, body)) =
        statement.as_object().and_then(|object| object.iter().next())
    else {
        return unknown();
    };
    match kind.as_str() {
        // A packet that is sent to another port or address is another packet.
        "mangle" if body.get("key").is_some_and(|key| key.get("payload").is_some()) => {
            Some(Effect::verdict(Verdict::Elsewhere))
        }
        "match" => Some(Effect::Test(matches(body, packet, sets))),
        "vmap" => Some(Effect::Choose(verdict_map(body, packet, sets))),
        "counter" | "log" | "comment" | "mangle" | "notrack" | "dup" | "flow"
        | "secmark" | "last" | "ct helper" | "ct timeout" | "ct expectation" | "map" => {
            None
        }
        "xt" if body
            .get("name")
            .is_some_and(|name| name == "comment" || name == "LOG") =>
        {
            None
        }
        // A target of iptables decides something, and nobody can say what.
        "xt" if body.get("type").is_none_or(|kind| kind != "match") => {
            Some(Effect::Choose(vec![(opaque(), Verdict::Elsewhere)]))
        }
        // `add @set { … limit … }` matches only within the limit.
        "set" => body.get("stmt").map(|_| Effect::Test(opaque())),
        _ => verdict(kind, body).map(Effect::verdict).or_else(unknown),
    }
}

/// A verdict statement, if it is one that this reader knows.
fn verdict(kind: &str, body: &Value) -> Option<Verdict> {
    let target = || body.get("target").and_then(Value::as_str).map(str::to_owned);
    Some(match kind {
        "accept" | "snat" | "masquerade" => Verdict::Accept,
        "drop" => Verdict::Block(Block::Drop),
        "reject" => Verdict::Block(rejection(body)),
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "jump" => Verdict::Jump(target()?),
        "goto" => Verdict::Goto(target()?),
        "dnat" | "redirect" | "queue" | "fwd" | "tproxy" | "synproxy" => {
            Verdict::Elsewhere
        }
        _ => return None,
    })
}

fn rejection(body: &Value) -> Block {
    match body.get("type").and_then(Value::as_str) {
        Some("tcp reset") => Block::Reset,
        _ => Block::Icmp(
            body.get("expr")
                .and_then(Value::as_str)
                .unwrap_or("port-unreachable")
                .to_owned(),
        ),
    }
}

/// A verdict map's entries: when each is taken, and what it decides.
fn verdict_map(body: &Value, packet: &Packet, sets: &Sets) -> Vec<(Condition, Verdict)> {
    let unknown = |what: &str| {
        (Condition::Opaque(format!("the verdict map {what}")), Verdict::Elsewhere)
    };
    let (Some(key), Some(data)) = (body.get("key"), body.get("data")) else {
        return vec![unknown("of a rule")];
    };
    let entries = match data {
        Value::String(name) => sets.get(name.trim_start_matches('@')),
        other => other.get("set").or(Some(other)),
    };
    let Some(entries) = entries.and_then(Value::as_array) else {
        return vec![unknown(data.as_str().unwrap_or("of a rule"))];
    };
    entries
        .iter()
        .map(|entry| {
            let pair = entry.as_array().filter(|pair| pair.len() == 2);
            let decided = pair.and_then(|pair| {
                let (kind, body) = pair[1].as_object()?.iter().next()?;
                Some((one_of(key, &pair[0], packet, sets), verdict(kind, body)?))
            });
            decided.unwrap_or_else(|| unknown("of a rule"))
        })
        .collect()
}
