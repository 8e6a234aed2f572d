//! Blocks of the report -> the machine: system, disks, units, sockets, processes.

use std::collections::BTreeMap;

use doctor::case::{
    Disks, EnabledState, Listener, Listeners, Process, Processes, System, UnitState,
    Units,
};

use crate::report::{Asked, Part};

/// The operating system and its clock.
pub(crate) fn system(part: &Part<'_>, asked: &Asked) -> Result<System, String> {
    let first = |name| part.lines(name).next();
    Ok(System {
        os: first("os").map(str::to_owned),
        uptime: first("uptime").and_then(|seconds| seconds.parse().ok()),
        clock: first("now").and_then(|seconds| seconds.parse().ok()),
        channel: asked.channel.to_owned(),
    })
}

/// Lines of `PERCENT MOUNT`.
pub(crate) fn disks(part: &Part<'_>, _: &Asked) -> Result<Disks, String> {
    let used = |name| -> Result<BTreeMap<String, u8>, String> {
        part.needed(name)?;
        let used = part.lines(name).filter_map(|line| {
            let (percent, mount) = line.split_once(' ')?;
            Some((mount.to_owned(), percent.parse().ok()?))
        });
        Ok(used.collect())
    };
    part.needed("read-only")?;
    let disks = Disks {
        used: used("used")?,
        inodes_used: used("inodes")?,
        read_only: part.lines("read-only").map(str::to_owned).collect(),
    };
    // The root is always told.
    if disks.used.is_empty() { Err("df did not answer".to_owned()) } else { Ok(disks) }
}

/// Lines of `Id|LoadState|ActiveState|SubState|Result|UnitFileState`, and a dot if
/// systemd answered at all.
pub(crate) fn units(part: &Part<'_>, _: &Asked) -> Result<Units, String> {
    if part.text("none").is_some() {
        return Ok(Units::default());
    }
    if !part.lines("units").any(|line| line == ".") {
        return Err("systemd did not answer".to_owned());
    }
    let unit = |line: &str| {
        let words: Vec<&str> = line.split('|').collect();
        let [id, load, active, sub, result, file] = words.as_slice() else { return None };
        let enabled = match *load {
            "masked" => EnabledState::Masked,
            _ => EnabledState::from(*file),
        };
        let state = UnitState {
            active: (*active).into(),
            enabled,
            sub: (*sub).to_owned(),
            result: (*result).to_owned(),
        };
        Some(((*id).to_owned(), state))
    };
    Ok(Units { units: part.lines("units").filter_map(unit).collect() })
}

/// Lines of `ID STATE COMMAND`.
pub(crate) fn processes(part: &Part<'_>, _: &Asked) -> Result<Processes, String> {
    part.needed("processes")?;
    let process = |line: &str| {
        let mut words = line.trim_end().splitn(3, ' ');
        Some(Process {
            pid: words.next()?.parse().ok()?,
            state: words.next()?.to_owned(),
            command: words.next().unwrap_or_default().to_owned(),
        })
    };
    Ok(Processes { processes: part.lines("processes").filter_map(process).collect() })
}

/// Lines of `ADDRESS:PORT PROGRAM` from ss, or the local column of /proc/net/tcp.
pub(crate) fn listeners(part: &Part<'_>, _: &Asked) -> Result<Listeners, String> {
    let sockets = match part.text("ss") {
        Some(_) => part.lines("ss").filter_map(listener_of_ss).collect(),
        None => {
            part.needed("proc")?;
            part.lines("proc").filter_map(listener_of_proc).collect()
        }
    };
    Ok(Listeners { sockets })
}

/// `0.0.0.0:22 sshd`
fn listener_of_ss(line: &str) -> Option<Listener> {
    let (socket, process) = line.split_once(' ')?;
    let (address, port) = socket.rsplit_once(':')?;
    // `127.0.0.1%lo` and `[::1]`
    let address = address.split('%').next()?.trim_matches(['[', ']']);
    Some(Listener {
        address: address.to_owned(),
        port: port.parse().ok()?,
        process: Some(process.to_owned()).filter(|process| !process.is_empty()),
    })
}

/// Addresses there are words in host order.
fn listener_of_proc(local: &str) -> Option<Listener> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::read;

    #[test]
    fn a_socket_is_read_from_ss_and_from_proc() {
        let found = read(
            "M ss\n0.0.0.0:22 sshd\n*:80 \n[::1]:25 \n127.0.0.53%lo:53 \n",
            listeners,
        )
        .unwrap();
        let seen: Vec<_> = found
            .sockets
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
        let text =
            format!("M proc\n{}:0016\n{}:0016\n", word([127, 0, 0, 1]), "0".repeat(32));
        let found = read(&text, listeners).unwrap();
        let seen: Vec<_> =
            found.sockets.iter().map(|one| (one.address.as_str(), one.port)).collect();
        assert_eq!(seen, [("127.0.0.1", 22), ("*", 22)]);
    }

    #[test]
    fn a_masked_unit_is_there_and_a_silent_systemd_is_no_empty_one() {
        let text = "M units\nssh.service|masked|inactive|dead|success|\n\
                    ssh.socket|loaded|active|listening|success|enabled\n.\n";
        let units = |text| read(text, units).map(|units| units.units);
        let found = units(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found["ssh.service"].enabled, EnabledState::Masked);
        assert_eq!(found["ssh.socket"].enabled, EnabledState::Enabled);
        assert!(units("M units\n").is_err());
        assert_eq!(units("M none\n").unwrap().len(), 0);
    }

    #[test]
    fn full_disks_are_numbers_and_no_answer_is_no_empty_disk() {
        let text = "M used\n99 /\n81 /my data\n\nM inodes\n5 /\n\nM read-only\n/mnt\n";
        let found = read(text, disks).unwrap();
        assert_eq!((found.used["/"], found.used["/my data"]), (99, 81));
        assert_eq!(found.read_only, ["/mnt"]);
        assert!(read("M used\n\nM inodes\n\nM read-only\n", disks).is_err());
    }
}
