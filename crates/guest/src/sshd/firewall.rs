//! The guest's own firewall: SSH is let through by rules that are only added, never by
//! removing or replacing what is there.

use std::path::Path;

use serde_json::Value;

use super::{LIMITS, SshdError};
use crate::edit::{self, Attributes};
use crate::process;
use crate::undo::{Journal, UndoError};

const COMMENT: &str = "regain: ssh";

/// Lets packets to and from `port` through, in the running kernel in front of whatever
/// these `chains` say. Gives remarks.
pub(super) fn open(
    journal: &mut Journal,
    chains: &[Chain],
    port: u16,
) -> Result<Vec<String>, SshdError> {
    let mut remarks = Vec::new();
    if allow_in_wrappers(journal)? {
        remarks.push("allowed sshd in /etc/hosts.allow".to_owned());
    }
    // The rules of a running kernel; a mounted disk has none.
    if journal.root() != Path::new("/") {
        return Ok(remarks);
    }
    for chain in chains {
        if insert(journal, chain, port)? {
            remarks.push(format!("opened port {port} in {} {}", chain.table, chain.name));
        }
    }
    for (names, program) in [
        ("/proc/net/ip_tables_names", "iptables-legacy"),
        ("/proc/net/ip6_tables_names", "ip6tables-legacy"),
    ] {
        // The old kernel interface, which nft does not show.
        let tables = std::fs::read_to_string(names).unwrap_or_default();
        if tables.lines().any(|table| table == "filter") {
            iptables(journal, program, "filter", "INPUT", "--dport", port)?;
            iptables(journal, program, "filter", "OUTPUT", "--sport", port)?;
        }
    }
    keep_open(journal, port)?;
    Ok(remarks)
}

/// A base chain in which a packet of SSH could be dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain {
    family: String,
    table: String,
    name: String,
    input: bool,
}

/// The chains of the running kernel in front of which an accepting rule is missing.
pub(super) fn blocking_chains(root: &Path) -> Vec<Chain> {
    let listed =
        process::tool(root, &["nft", "-j", "list", "ruleset"], &[], &LIST_LIMITS);
    match listed {
        Some(Ok(done)) if done.success() => parse_ruleset(&done.stdout),
        _ => Vec::new(),
    }
}

const LIST_LIMITS: process::Limits =
    process::Limits { time: LIMITS.time, output: 8 << 20 };

fn parse_ruleset(json: &[u8]) -> Vec<Chain> {
    let ruleset: Value = serde_json::from_slice(json).unwrap_or_default();
    let objects = || ruleset["nftables"].as_array().into_iter().flatten();
    let same = |rule: &Value, chain: &Value| {
        rule["family"] == chain["family"]
            && rule["table"] == chain["table"]
            && rule["chain"] == chain["name"]
    };
    objects()
        .filter_map(|object| object.get("chain"))
        .filter(|chain| matches!(chain["hook"].as_str(), Some("input" | "output")))
        .filter(|chain| chain["type"] == "filter")
        .filter(|chain| {
            let rules = || {
                objects().filter_map(|o| o.get("rule")).filter(|rule| same(rule, chain))
            };
            let done = rules().next().is_some_and(|rule| rule["comment"] == COMMENT);
            !done && (chain["policy"] == "drop" || rules().next().is_some())
        })
        .filter_map(|chain| {
            let text = |key: &str| chain[key].as_str().map(str::to_owned);
            Some(Chain {
                family: text("family")?,
                table: text("table")?,
                name: text("name")?,
                input: chain["hook"] == "input",
            })
        })
        .collect()
}

/// Puts an accepting rule in front of a chain. Gives whether there is a new one.
fn insert(journal: &mut Journal, chain: &Chain, port: u16) -> Result<bool, UndoError> {
    let direction = if chain.input { "dport" } else { "sport" };
    // Tables of iptables are changed by iptables: it does not understand other rules.
    let program = match (chain.family.as_str(), chain.name.as_str()) {
        ("ip", "INPUT" | "OUTPUT") => "iptables",
        ("ip6", "INPUT" | "OUTPUT") => "ip6tables",
        _ => "nft",
    };
    if program != "nft" && process::find(journal.root(), program).is_some() {
        let option = format!("--{direction}");
        return iptables(journal, program, &chain.table, &chain.name, &option, port);
    }
    let port = port.to_string();
    let comment = format!("\"{COMMENT}\"");
    let place = [chain.family.as_str(), &chain.table, &chain.name];
    let rule = ["tcp", direction, &port, "accept", "comment", &comment];
    let argv = [&["nft", "-j", "-e", "insert", "rule"][..], &place, &rule].concat();
    let Some(Ok(done)) = process::tool(journal.root(), &argv, &[], &LIMITS) else {
        return Ok(false);
    };
    if let Some(handle) =
        handle(&serde_json::from_slice(&done.stdout).unwrap_or_default())
    {
        let handle = handle.to_string();
        let undo =
            [&["nft", "delete", "rule"][..], &place, &["handle", &handle]].concat();
        journal.on_undo(&undo)?;
    }
    Ok(done.success())
}

fn handle(echo: &Value) -> Option<u64> {
    match echo {
        Value::Object(map) => map
            .get("handle")
            .and_then(Value::as_u64)
            .or_else(|| map.values().find_map(handle)),
        Value::Array(list) => list.iter().find_map(handle),
        _ => None,
    }
}

fn iptables(
    journal: &mut Journal,
    program: &str,
    table: &str,
    chain: &str,
    direction: &str,
    port: u16,
) -> Result<bool, UndoError> {
    let port = port.to_string();
    let rule = ["-p", "tcp", direction, &port, "-j", "ACCEPT"];
    let run = |action: &[&str]| {
        let argv = [&[program, "-w", "5", "-t", table], action].concat();
        process::tool(journal.root(), &argv, &[], &LIMITS)
            .and_then(Result::ok)
            .filter(process::Finished::success)
    };
    // Present further down is not enough: a rule in front of it may drop the packet.
    let first = run(&["-S", chain, "1"]).map(|done| done.text()).unwrap_or_default();
    if first.ends_with(&format!("{direction} {port} -j ACCEPT")) {
        return Ok(false);
    }
    if run(&[&["-I", chain, "1"], &rule[..]].concat()).is_none() {
        return Ok(false);
    }
    let undo = [&[program, "-w", "5", "-t", table, "-D", chain], &rule[..]].concat();
    journal.on_undo(&undo)?;
    Ok(true)
}

/// Tells the firewall managers, so that the port stays open after a restart.
fn keep_open(journal: &mut Journal, port: u16) -> Result<(), UndoError> {
    let root = journal.root().to_owned();
    let ufw = edit::read_text(&root, "/etc/ufw/ufw.conf")?.unwrap_or_default();
    let rule = format!("{port}/tcp");
    let run =
        |argv: &[&str]| process::tool(&root, argv, &[], &LIMITS).and_then(Result::ok);
    if ufw.lines().any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes")) {
        let done = run(&["ufw", "insert", "1", "allow", &rule])
            .filter(process::Finished::success)
            .or_else(|| run(&["ufw", "allow", &rule]));
        if done.is_some_and(|done| done.text().contains("added")) {
            journal.on_undo(&["ufw", "delete", "allow", &rule])?;
        }
    }
    let state = run(&["firewall-cmd", "--state"]);
    if state.is_some_and(|state| state.success()) {
        for scope in [&["--permanent"][..], &[]] {
            let add = [&["firewall-cmd"], scope, &["--add-service=ssh"]].concat();
            if run(&add).is_some_and(|done| !done.text().contains("ALREADY_ENABLED")) {
                let undo = [&["firewall-cmd"], scope, &["--remove-service=ssh"]].concat();
                journal.on_undo(&undo)?;
            }
        }
    }
    Ok(())
}

/// TCP wrappers: `hosts.allow` is asked before `hosts.deny`.
fn allow_in_wrappers(journal: &mut Journal) -> Result<bool, UndoError> {
    let root = journal.root().to_owned();
    let deny = edit::read_text(&root, "/etc/hosts.deny")?.unwrap_or_default();
    if !denies_sshd(&deny) {
        return Ok(false);
    }
    let allow = edit::read_text(&root, "/etc/hosts.allow")?.unwrap_or_default();
    if allow.lines().any(|line| line.split_whitespace().collect::<String>() == "sshd:ALL")
    {
        return Ok(false);
    }
    let allow = format!("sshd: ALL\n{allow}");
    journal.write("/etc/hosts.allow", allow.as_bytes(), &Attributes::root(0o644))?;
    Ok(true)
}

fn denies_sshd(deny: &str) -> bool {
    deny.lines().map(str::trim).filter(|line| !line.starts_with('#')).any(|line| {
        let daemons = line.split(':').next().unwrap_or_default();
        daemons
            .split([' ', '\t', ','])
            .any(|daemon| daemon == "sshd" || daemon.eq_ignore_ascii_case("all"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_chains_that_can_drop_get_a_rule() {
        let chain = |name: &str, hook: &str, policy: &str| {
            json!({"chain": {"family": "inet", "table": "t", "name": name, "type": "filter",
                "hook": hook, "prio": 0, "policy": policy}})
        };
        let rule = |chain: &str, comment: Option<&str>| {
            json!({"rule": {"family": "inet", "table": "t", "chain": chain, "handle": 4,
                "comment": comment, "expr": [{"drop": null}]}})
        };
        let ruleset = json!({"nftables": [
            {"metainfo": {}},
            chain("strict", "input", "drop"),
            chain("open", "input", "accept"),
            chain("ruled", "output", "accept"),
            rule("ruled", None),
            chain("done", "input", "drop"),
            rule("done", Some(COMMENT)),
            chain("passing", "forward", "drop"),
        ]});
        let chains = parse_ruleset(ruleset.to_string().as_bytes());
        let names: Vec<_> = chains.iter().map(|c| (c.name.as_str(), c.input)).collect();
        assert_eq!(names, [("strict", true), ("ruled", false)]);
        assert!(parse_ruleset(b"not json").is_empty());
    }

    #[test]
    fn the_handle_is_found_in_both_shapes_of_the_echo() {
        let old = json!({"nftables": [{"rule": {"handle": 7}}]});
        let new = json!({"nftables": [{"insert": {"rule": {"handle": 7}}}]});
        assert_eq!((handle(&old), handle(&new)), (Some(7), Some(7)));
        assert_eq!(handle(&json!({})), None);
    }

    #[test]
    fn wrappers_that_deny_sshd_are_recognised() {
        for deny in ["ALL: ALL", "sshd : 10.0.0.0/8", "ftpd, sshd: ALL"] {
            assert!(denies_sshd(deny), "{deny}");
        }
        for deny in ["", "# ALL: ALL", "ftpd: ALL"] {
            assert!(!denies_sshd(deny), "{deny}");
        }
    }
}
