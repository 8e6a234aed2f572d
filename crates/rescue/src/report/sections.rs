//! Blocks of the report -> the case's guest sections.

use std::collections::BTreeMap;

use doctor::case::{Account, Firewall, Guest, Listener, Process, Sshd, UnitState};

use crate::report::Report;
use crate::report::account::account;

/// Units that are there because they own packet filter rules.
const FILTER_OWNERS: [&str; 3] = ["firewalld", "fail2ban", "sshguard"];

/// File systems that are written to in a healthy guest.
const WRITABLE: [&str; 7] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "overlay"];

/// What one report fills.
#[derive(Debug)]
pub(crate) struct Sections {
    /// The packet filter.
    pub(crate) firewall: Firewall,
    /// The SSH server.
    pub(crate) sshd: Sshd,
    /// The account.
    pub(crate) account: Account,
    /// The rest.
    pub(crate) guest: Guest,
}

/// Reads all of them. `user` is the account that the script was asked about.
pub(crate) fn sections(report: &Report<'_>, user: &str, channel: &str) -> Sections {
    Sections {
        firewall: firewall(report),
        sshd: sshd(report),
        account: account(report, user),
        guest: guest(report, channel),
    }
}

fn firewall(report: &Report<'_>) -> Firewall {
    let mut interfaces: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // `2: eth0    inet 10.0.0.4/16 brd ...`
    for line in report.lines("addresses") {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if let [_, name, "inet" | "inet6", address, ..] = words.as_slice() {
            let address = address.split('/').next().unwrap_or(address);
            interfaces.entry((*name).to_owned()).or_default().push(address.to_owned());
        }
    }
    let units = units(report);
    let mut owners: Vec<String> = FILTER_OWNERS
        .into_iter()
        .filter(|owner| {
            let unit = units.get(&format!("{owner}.service"));
            unit.is_some_and(|unit| unit.active == "active")
        })
        .map(str::to_owned)
        .collect();
    if report.text("ufw").is_some() {
        owners.push("ufw".to_owned());
    }
    let nft = report.text("nft").and_then(|text| serde_json::from_str(text).ok());
    let saved = |name| report.text(name).map(str::to_owned);
    let legacy = ["iptables.legacy", "ip6tables.legacy"]
        .into_iter()
        .filter_map(|name| report.text(name))
        .collect::<String>();
    Firewall {
        nft,
        nft_chains: saved("nft.chains"),
        iptables_nft: saved("iptables"),
        ip6tables_nft: saved("ip6tables"),
        iptables_legacy: Some(legacy).filter(|text| !text.is_empty()),
        interfaces,
        owners,
    }
}

fn sshd(report: &Report<'_>) -> Sshd {
    let mut effective: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in report.lines("settings") {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        let values = effective.entry(keyword.to_ascii_lowercase()).or_default();
        values.push(value.to_owned());
    }
    let mut units = units(report);
    units.retain(|name, _| {
        !FILTER_OWNERS.iter().any(|owner| *name == format!("{owner}.service"))
    });
    let error = report.text("settings.stderr").map(str::trim);
    let error = error.filter(|text| !text.is_empty() && effective.is_empty());
    Sshd {
        binary: report.lines("sshd").next().map(str::to_owned),
        units,
        test: report.command("test"),
        effective_error: error.map(str::to_owned),
        effective,
        listeners: listeners(report),
        config: report.by_argument("config"),
        host_keys: report.paths(report.lines("hostkeys")),
        host_public_keys: report.lines("hostkeys.public").map(str::to_owned).collect(),
        journal: report.lines("journal").map(str::to_owned).collect(),
        privsep: None,
        privsep_line: None,
        processes: report.text("processes").map(|_| processes(report)),
    }
}

/// `systemctl show` of several units: properties, and an empty line after each unit.
fn units(report: &Report<'_>) -> BTreeMap<String, UnitState> {
    let mut units = BTreeMap::new();
    for unit in report.text("units").unwrap_or_default().split("\n\n") {
        let property = |name: &str| {
            unit.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .unwrap_or_default()
                .to_owned()
        };
        let (id, load) = (property("Id"), property("LoadState"));
        if id.is_empty() || load == "not-found" {
            continue;
        }
        let enabled = match load.as_str() {
            "masked" => load,
            _ => property("UnitFileState"),
        };
        let state = UnitState {
            active: property("ActiveState"),
            enabled,
            sub: property("SubState"),
            result: property("Result"),
        };
        units.insert(id, state);
    }
    units
}

fn processes(report: &Report<'_>) -> Vec<Process> {
    report
        .lines("processes")
        .filter_map(|line| {
            let mut words = line.trim_end().splitn(3, ' ');
            Some(Process {
                pid: words.next()?.parse().ok()?,
                state: words.next()?.to_owned(),
                command: words.next().unwrap_or_default().to_owned(),
            })
        })
        .collect()
}

fn listeners(report: &Report<'_>) -> Vec<Listener> {
    let listed = report.lines("listeners.ss").filter_map(listener_of_ss);
    listed.chain(report.lines("listeners.proc").filter_map(listener_of_proc)).collect()
}

/// `LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=7,fd=3))`
fn listener_of_ss(line: &str) -> Option<Listener> {
    let (address, port) = line.split_ascii_whitespace().nth(3)?.rsplit_once(':')?;
    // `127.0.0.1%lo` and `[::1]`
    let address = address.split('%').next()?.trim_matches(['[', ']']);
    let process = line.split_once("((\"").and_then(|(_, rest)| rest.split('"').next());
    Some(Listener {
        address: address.to_owned(),
        port: port.parse().ok()?,
        process: process.map(str::to_owned),
    })
}

/// One line of /proc/net/tcp or tcp6; addresses there are words in host order.
fn listener_of_proc(line: &str) -> Option<Listener> {
    const LISTEN: &str = "0A";
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, local, _, LISTEN, ..] = words.as_slice() else { return None };
    let (address, port) = local.split_once(':')?;
    let octets = |word: &str| Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes());
    let address = match address.len() {
        8 => std::net::Ipv4Addr::from(octets(address)?).to_string(),
        32 => {
            let mut all = [0; 16];
            for (at, word) in all.chunks_exact_mut(4).enumerate() {
                word.copy_from_slice(&octets(address.get(at * 8..at * 8 + 8)?)?);
            }
            // Which of them take IPv4, too, is not told here; most do.
            match std::net::Ipv6Addr::from(all) {
                any if any.is_unspecified() => "*".to_owned(),
                one => one.to_string(),
            }
        }
        _ => return None,
    };
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(Listener { address, port, process: None })
}

fn guest(report: &Report<'_>, channel: &str) -> Guest {
    let os = report.lines("os").next().unwrap_or_default().trim_matches('"').to_owned();
    Guest {
        os,
        disk_used: used(report, "disk"),
        inodes_used: used(report, "inodes"),
        read_only: read_only(report),
        uptime: uptime(report),
        channel: channel.to_owned(),
    }
}

/// `df -P`: the fifth column is per cent, the last one the mount point.
fn used(report: &Report<'_>, name: &str) -> BTreeMap<String, u8> {
    report
        .lines(name)
        .skip(1)
        .filter_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let percent = words.get(4)?.strip_suffix('%')?.parse().ok()?;
            Some((words.get(5..)?.join(" "), percent))
        })
        .collect()
}

/// Mount points that are read-only although fstab does not ask for it.
fn read_only(report: &Report<'_>) -> Vec<String> {
    let has = |options: &str, wanted| options.split(',').any(|option| option == wanted);
    let columns = |line: &'_ str| -> Option<(String, String, String)> {
        let mut words = line.split_ascii_whitespace().skip(1).map(str::to_owned);
        Some((words.next()?, words.next()?, words.next()?))
    };
    let wanted: Vec<String> = report
        .lines("fstab")
        .filter(|line| !line.starts_with('#'))
        .filter_map(columns)
        .filter(|(_, _, options)| has(options, "ro"))
        .map(|(point, _, _)| point)
        .collect();
    report
        .lines("mounts")
        .filter_map(columns)
        .filter(|(_, kind, options)| {
            WRITABLE.contains(&kind.as_str()) && has(options, "ro")
        })
        .map(|(point, _, _)| point)
        .filter(|point| !["/snap/", "/run/"].iter().any(|above| point.starts_with(above)))
        .filter(|point| !wanted.contains(point))
        .collect()
}

/// Seconds since PID 1 started: the machine's uptime less the start of that process
/// (field 22 of its stat, in hundredths of a second on every Linux).
fn uptime(report: &Report<'_>) -> Option<u64> {
    let mut lines = report.lines("uptime");
    let machine: f64 = lines.next()?.parse().ok()?;
    let (_, fields) = lines.next()?.rsplit_once(") ")?;
    let start: f64 = fields.split(' ').nth(19)?.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds since boot, cut at zero"
    )]
    Some((machine - start / 100.0).max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, reader: impl FnOnce(&Report<'_>) -> T) -> T {
        reader(&Report::divide(&format!("\n{text}\nM end\n"), "M"))
    }

    #[test]
    fn a_socket_is_read_from_ss_and_from_proc() {
        let found = read(
            "M listeners.ss\n\
             LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=7,fd=3))\n\
             LISTEN 0 128 *:80 *:*\n\
             LISTEN 0 128 [::1]:25 [::]:*\n\
             LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*\n",
            listeners,
        );
        let seen: Vec<_> = found
            .iter()
            .map(|one| (one.address.as_str(), one.port, one.process.as_deref()))
            .collect();
        let expected = [
            ("0.0.0.0", 22, Some("sshd")),
            ("*", 80, None),
            ("::1", 25, None),
            ("127.0.0.53", 53, None),
        ];
        assert_eq!(seen, expected);

        let word = |octets: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(octets));
        let text = format!(
            "M listeners.proc\n  sl  local_address rem_address   st\n\
             0: {}:0016 00000000:0000 0A 0\n1: {}:0016 {}:9C40 01 0\n\
             2: {}:0016 {}:0000 0A 0\n",
            word([127, 0, 0, 1]),
            word([127, 0, 0, 1]),
            word([127, 0, 0, 1]),
            "0".repeat(32),
            "0".repeat(32),
        );
        let found = read(&text, listeners);
        let seen: Vec<_> =
            found.iter().map(|one| (one.address.as_str(), one.port)).collect();
        assert_eq!(seen, [("127.0.0.1", 22), ("*", 22)]);
    }

    #[test]
    fn a_masked_unit_is_there_and_an_unknown_one_is_not() {
        let units = read(
            "M units\nId=ssh.service\nLoadState=masked\nActiveState=inactive\n\
             SubState=dead\nUnitFileState=\nResult=success\n\n\
             Id=sshd.service\nLoadState=not-found\nActiveState=inactive\n\n\
             Id=ssh.socket\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n",
            units,
        );
        assert_eq!(units.len(), 2);
        assert_eq!(units["ssh.service"].enabled, "masked");
        assert_eq!(units["ssh.socket"].enabled, "enabled");
    }

    #[test]
    fn a_read_only_mount_counts_unless_fstab_asks_for_it() {
        let found = read(
            "M fstab\n/dev/sdb /data ext4 ro 0 0\n\
             M mounts\n/dev/sda / ext4 ro,relatime 0 0\n/dev/sdb /data ext4 ro 0 0\n\
             /dev/sdc /ok xfs rw 0 0\n/dev/loop0 /snap/x squashfs ro 0 0\n\
             /dev/sda /run/host ext4 ro 0 0\n",
            read_only,
        );
        assert_eq!(found, ["/"]);
    }

    #[test]
    fn full_disks_and_the_start_of_pid_1_are_numbers() {
        let disks = read(
            "M disk\nFilesystem 1024-blocks Used Available Capacity Mounted on\n\
             /dev/sda 100 99 1 99% /\n/dev/sdb 100 1 99 1% /my data\n",
            |report| used(report, "disk"),
        );
        assert_eq!((disks["/"], disks["/my data"]), (99, 1));
        let stat = "1 (init (x) y) S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 10000 0";
        assert_eq!(read(&format!("M uptime\n160.50\n{stat}\n"), uptime), Some(60));
    }
}
