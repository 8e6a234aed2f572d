//! What each reader promises for every input.

use std::collections::BTreeMap;
use std::net::IpAddr;

use formats::accounts::Table;
use formats::authorized_keys::{Contents, Entry, Kind};
use formats::packet_filter::{Direction, Fate, Listing, Packet, Ruleset};
use formats::sshd_config::{
    Config, Connection, MAIN_FILE, TestOutput, complaints, directives, glued,
    other_errors,
};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

type Held = Result<(), TestCaseError>;

/// The main file, and behind each line `=== PATH` another one.
fn files(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut files = BTreeMap::new();
    let mut path = MAIN_FILE.to_owned();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(next) => path = next.trim().to_owned(),
            None => files.entry(path.clone()).or_insert_with(String::new).push_str(line),
        }
    }
    files
}

/// Lines are where they are said to be, the work has a bound, and what is known with
/// less knowledge stays so with more.
pub(crate) fn sshd_config(bytes: &[u8]) -> Held {
    let files = files(bytes);
    let config = Config::read(&files, MAIN_FILE);
    prop_assert!(config.directives().len() <= 20_000);
    for said in config.directives().iter().take(2_000) {
        let line = files[&said.file].split('\n').nth(said.line - 1);
        prop_assert_eq!(line.map(str::trim), Some(said.text.as_str()));
        prop_assert_eq!(&said.keyword, &said.keyword.to_ascii_lowercase());
        same_words(&said.keyword, &said.arguments)?;
    }
    for place in config.refusals().iter().chain(config.cut()) {
        let lines = files.get(&place.file).map_or(0, |text| text.split('\n').count());
        prop_assert!(place.line <= lines, "{place:?}");
    }
    let groups = ["admin".to_owned(), "root".to_owned()];
    let nobody = Connection::default();
    let somebody = Connection { user: Some("ann"), ..nobody };
    let one = Connection {
        groups: Some(&groups),
        host: Some("client.example"),
        address: Some(IpAddr::from([10, 1, 2, 3])),
        local_address: Some(IpAddr::from([10, 9, 0, 4])),
        local_port: Some(22),
        routing_domain: Some(""),
        ..somebody
    };
    for keyword in
        ["allowusers", "passwordauthentication", "permitrootlogin", "port", "usepam"]
    {
        let known = |connection| config.resolve(keyword, connection).values();
        if let Some(values) = known(&nobody) {
            prop_assert_eq!(Some(values), known(&somebody));
        }
        if let Some(values) = known(&somebody) {
            prop_assert_eq!(Some(values), known(&one));
        }
        prop_assert!(known(&one).is_none() || config.refusals().is_empty());
    }
    Ok(())
}

/// Words that are written with quotes are the same words.
fn same_words(keyword: &str, arguments: &[String]) -> Held {
    let as_is = [
        "match",
        "authorizedkeyscommand",
        "authorizedprincipalscommand",
        "forcecommand",
        "versionaddendum",
    ];
    let plain = |c: char| c.is_ascii_alphanumeric();
    if as_is.contains(&keyword) || !keyword.chars().all(plain) || arguments.is_empty() {
        return Ok(());
    }
    let mut text = keyword.to_owned();
    for word in arguments {
        if word.contains(['\n', '\r']) {
            return Ok(());
        }
        text.push_str(&format!(
            " \"{}\"",
            word.replace('\\', "\\\\").replace('"', "\\\"")
        ));
    }
    let again = directives(&BTreeMap::from([(MAIN_FILE.to_owned(), text)]));
    prop_assert_eq!(&again[0].arguments, arguments);
    Ok(())
}

/// Every line is a complaint, another error or a warning, and none is made up.
pub(crate) fn sshd_test(bytes: &[u8]) -> Held {
    let text = String::from_utf8_lossy(bytes);
    let config = directives(&files(bytes));
    let test = |exit| TestOutput { exit, stdout: "", stderr: &text };
    prop_assert!(complaints(test(Some(0)), &config).is_empty());
    let said = complaints(test(Some(255)), &config);
    let others = other_errors(test(Some(255)));
    prop_assert!(said.len() + others.len() <= text.lines().count());
    for complaint in &said {
        prop_assert!(complaint.line > 0 && complaint.file.starts_with('/'));
        let here = |line: &str| {
            line.contains(&complaint.message) && line.contains(&complaint.file)
        };
        prop_assert!(text.lines().any(here), "{complaint:?}");
    }
    for line in &others {
        prop_assert!(text.lines().any(|said| said.trim() == line));
    }
    for line in text.lines() {
        if let Some((first, second)) = glued(line) {
            prop_assert!(line.ends_with(&second) || line.trim_end().ends_with(&second));
            prop_assert!(first.ends_with("yes") || first.ends_with("no"));
        }
    }
    Ok(())
}

/// A line that is a key is the same key when it is written and read again.
pub(crate) fn authorized_keys(bytes: &[u8]) -> Held {
    let text = String::from_utf8_lossy(bytes);
    let contents = Contents::of(text.lines());
    let space = [' ', '\t', '\r', '\n'];
    let lines = text.lines().map(|line| line.trim_matches(space));
    let said = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    prop_assert_eq!(contents.keys.len() + contents.others.len(), said);
    prop_assert_eq!(contents.kind() == Kind::Keys, !contents.keys.is_empty());
    prop_assert_eq!(contents.kind() == Kind::Empty, said == 0);
    for entry in &contents.keys {
        prop_assert_eq!(Entry::parse(&entry.to_string()), Ok(entry.clone()));
        prop_assert!(entry.key.fingerprint().starts_with("SHA256:"));
        prop_assert!(entry.options.is_some() || entry.options().is_some());
    }
    Ok(())
}

/// What is not touched stays, byte for byte.
pub(crate) fn accounts(bytes: &[u8]) -> Held {
    let mut table = Table::parse(bytes);
    let mut before = bytes.to_vec();
    if !before.is_empty() && before.last() != Some(&b'\n') {
        before.push(b'\n');
    }
    prop_assert_eq!(table.to_bytes(), before.clone());
    let others = |text: &[u8]| -> Vec<Vec<u8>> {
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        lines.filter(|line| !line.starts_with(b"ann:")).map(<[u8]>::to_vec).collect()
    };
    let there = table.contains("ann");
    table.set_field("ann", 3, "4711");
    prop_assert_eq!(table.field("ann", 3), there.then(|| "4711".to_owned()));
    prop_assert_eq!(others(&table.to_bytes()), others(&before));
    table.remove("ann");
    prop_assert!(!table.contains("ann"));
    prop_assert_eq!(table.to_bytes(), others(&before).concat());
    let free = table.free_number(2, 1000..=1009);
    prop_assert!(free.is_none_or(|number| (1000..=1009).contains(&number)));
    Ok(())
}

/// As [`judged`], for nft's JSON.
pub(crate) fn nft(bytes: &[u8]) -> Held {
    match serde_json::from_slice(bytes) {
        Ok(json) => judged(&Listing { nft: Some(&json), ..Listing::default() }),
        Err(_) => Ok(()),
    }
}

/// As [`judged`], for each tool that writes so.
pub(crate) fn iptables(bytes: &[u8]) -> Held {
    let text = String::from_utf8_lossy(bytes);
    judged(&Listing { iptables_nft: Some(&text), ..Listing::default() })?;
    judged(&Listing { ip6tables_legacy: Some(&text), ..Listing::default() })
}

/// What is known of a packet of which less is known is the same for one of which more
/// is known, and what is not known has a reason.
fn judged(listing: &Listing) -> Held {
    for v6 in [false, true] {
        let address = |last: u8| match v6 {
            false => IpAddr::from([198, 18, 0, last]),
            true => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()]),
        };
        for direction in [Direction::In, Direction::Out] {
            let nobody = Packet {
                source: None,
                destination: None,
                v6,
                source_port: 1024..=u16::MAX,
                destination_port: 22..=22,
                interface: None,
                direction,
            };
            let one = Packet {
                source: Some(address(1)),
                destination: Some(address(4)),
                source_port: 50_000..=50_000,
                interface: Some("eth0".to_owned()),
                ..nobody.clone()
            };
            let fate = |packet| Ruleset::read(listing, packet).judge(packet);
            let (less, more) = (fate(&nobody), fate(&one));
            match &less.fate {
                Fate::Unknown(because) => prop_assert!(!because.is_empty()),
                known => prop_assert_eq!(known, &more.fate),
            }
            if !more.blockers.is_empty() {
                prop_assert!(more.fate != Fate::Accept);
            }
        }
    }
    Ok(())
}
