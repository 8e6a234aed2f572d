//! Where sshd listens, and which lines of its configuration say so.

use std::net::IpAddr;

use serde::Serialize;

use super::known::Known;
use super::settings::Resolved;
use super::sshd::{ConfigLine, config_line};
use crate::case::{Addresses, Listener, Processes};
use formats::sshd_config::{self, Directive};

/// A listening socket.
#[derive(Debug, Clone, Serialize)]
pub struct ListenerFacts {
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: i64,
    /// Its process; empty if unknown.
    pub process: String,
    /// Whether only this machine reaches it.
    pub loopback: bool,
    /// Whether IPv4 reaches it.
    pub ipv4: bool,
    /// Whether IPv6 reaches it.
    pub ipv6: bool,
}

/// The ports that sshd is told to listen on; 22 if all of its files are known and none
/// says otherwise (sshd_config(5), `Port`).
pub(super) fn ports(settings: &Resolved) -> Known<Vec<i64>> {
    let parse = |text: &String| text.trim().parse::<i64>().ok();
    let resolved = settings.list("port").and_then(|values| {
        let ports: Vec<i64> = values.iter().filter_map(parse).collect();
        if ports.is_empty() {
            Known::unknown("sshd -T names no port")
        } else {
            Known::Is(ports)
        }
    });
    resolved.or_else(|why| {
        settings.lines().or_else(|_| Known::Unknown(why)).map(|config| {
            let written: Vec<i64> = config
                .iter()
                .filter(|said| said.keyword == "port" && !said.in_match)
                .filter_map(|said| said.arguments.first().and_then(parse))
                .collect();
            if written.is_empty() { vec![22] } else { written }
        })
    })
}

pub(super) fn listener(listener: &Listener) -> ListenerFacts {
    let address = listener.address.trim_matches(['[', ']']);
    let address = address.split('%').next().unwrap_or(address);
    let process = listener.process.clone().unwrap_or_default();
    let parsed = address.parse::<IpAddr>().ok();
    // sshd asks for IPV6_V6ONLY; systemd's sockets take both families.
    let both = address == "*" || (address == "::" && !process.starts_with("sshd"));
    ListenerFacts {
        port: listener.port.into(),
        loopback: parsed.is_some_and(|address| address.is_loopback()),
        ipv4: both || parsed.is_some_and(|address| address.is_ipv4()),
        ipv6: both || parsed.is_some_and(|address| address.is_ipv6()),
        address: address.to_owned(),
        process,
    }
}

/// Lines with an address that no interface has.
pub(super) fn absent_address_lines(
    config: &[Directive],
    addresses: &Addresses,
) -> Known<Vec<ConfigLine>> {
    let present: Vec<IpAddr> = addresses
        .interfaces
        .values()
        .flatten()
        .filter_map(|text| text.split(['/', '%']).next()?.parse().ok())
        .collect();
    if present.is_empty() {
        return Known::unknown("the guest names no address of its own");
    }
    let absent = |said: &&Directive| {
        let address =
            listen_address(said).and_then(|(host, _)| host.parse::<IpAddr>().ok());
        address.is_some_and(|address| {
            !address.is_unspecified()
                && !address.is_loopback()
                && !present.contains(&address)
        })
    };
    Known::Is(config.iter().filter(absent).map(config_line).collect())
}

/// Host and port of a `ListenAddress` (`host`, `host:port`, `[v6]:port`, `v6`).
fn listen_address(said: &Directive) -> Option<(String, Option<i64>)> {
    if said.keyword != "listenaddress" || said.in_match {
        return None;
    }
    let (host, port) = sshd_config::listen_address(said.arguments.first()?)?;
    Some((host.to_owned(), port.and_then(|port| port.parse().ok())))
}

/// Whether a line makes sshd listen on another port.
pub(super) fn other_port(said: &Directive, port: i64) -> bool {
    if said.in_match {
        return false;
    }
    if said.keyword == "port" {
        return said.arguments.first().and_then(|p| p.parse().ok()) != Some(port);
    }
    listen_address(said)
        .is_some_and(|(_, other)| other.is_some_and(|other| other != port))
}

pub(super) fn on_loopback(said: &Directive) -> bool {
    listen_address(said).is_some_and(|(host, _)| {
        host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// One more `Port`, and one more `ListenAddress` for each that has a port of its
/// own. Adding takes the way in from nobody who uses the other port.
pub(super) fn port_edits(lines: &[&Directive], port: i64) -> String {
    let mut edits: Vec<(String, usize, String)> = Vec::new();
    for said in lines {
        let new = match listen_address(said) {
            Some((host, _)) if host.contains(':') => {
                format!("ListenAddress [{host}]:{port}")
            }
            Some((host, _)) => format!("ListenAddress {host}:{port}"),
            None => format!("Port {port}"),
        };
        if !edits.iter().any(|(_, _, known)| *known == new) {
            edits.push((said.file.clone(), said.line, new));
        }
    }
    // Bottom up, so that an edit does not move the lines of the next one.
    edits.sort_by_key(|(_, line, _)| std::cmp::Reverse(*line));
    let lines: Vec<String> = edits
        .into_iter()
        .map(|(file, line, new)| format!("{file}\t{line}\t{new}"))
        .collect();
    lines.join("\n")
}

/// `-p N` or `-o Port=N` of a running sshd.
pub(super) fn port_option(processes: &Processes) -> Option<i64> {
    processes.processes.iter().find_map(|process| {
        let mut words = process.command.split_whitespace();
        while let Some(word) = words.next() {
            let value = match word {
                "-p" => words.next(),
                "-o" | "-oPort" => {
                    words.next().and_then(|option| option.strip_prefix("Port="))
                }
                word => word.strip_prefix("-oPort=").or_else(|| word.strip_prefix("-p")),
            };
            if let Some(port) = value.and_then(|value| value.parse().ok()) {
                return Some(port);
            }
        }
        None
    })
}
