//! Blocks of the report -> key files: the user's and the server's.

use std::collections::BTreeMap;

use doctor::case::{HostKeys, KeyFile, KeyLine, KeyLines, KeyOption, Keys};

use crate::report::{Asked, Part, pairs};

/// The way to the user's keys, and what their files hold.
pub(crate) fn keys(part: &Part<'_>, _: &Asked) -> Result<Keys, String> {
    if part.text("nobody").is_some() {
        return Err("the guest has no such account, and so no keys of it".to_owned());
    }
    if part.text("paths").is_none() {
        return Err("the guest did not tell in time whose keys to look for".to_owned());
    }
    let mut paths = part.paths("paths", "stat");
    for (link, target) in pairs(part.lines("links")) {
        if let Some(fact) = paths.iter_mut().find(|fact| fact.path == link) {
            fact.target = Some(target.to_owned());
        }
    }
    let read = part.all("file").map(|block| {
        let lines = KeyLines {
            lines: block.text.lines().filter_map(key_line).collect(),
            cut: block.text.lines().any(|line| line == "cut"),
        };
        (block.argument.to_owned(), KeyFile::Read(lines))
    });
    let unread = part.all("unread").map(|block| {
        let why = block.text.trim().to_owned();
        (block.argument.to_owned(), KeyFile::Unread(why))
    });
    Ok(Keys {
        paths,
        resolved: pairs(part.lines("real"))
            .map(|(file, real)| (file.to_owned(), real.to_owned()))
            .collect(),
        files: read.chain(unread).collect::<BTreeMap<_, _>>(),
    })
}

/// `key LINE TYPE FINGERPRINT OPTION...`, `wrapped LINE`, `private LINE`, `bad LINE`.
fn key_line(line: &str) -> Option<KeyLine> {
    let mut words = line.split_ascii_whitespace();
    let what = words.next()?;
    let line = words.next()?.parse().ok()?;
    Some(match what {
        "key" => KeyLine::Key {
            line,
            r#type: words.next()?.to_owned(),
            fingerprint: words.next().filter(|print| *print != "-").map(str::to_owned),
            options: words
                .map(|option| {
                    let (name, value) = option
                        .split_once('=')
                        .map_or((option, None), |(name, value)| (name, Some(value)));
                    KeyOption { name: name.to_owned(), value: value.map(str::to_owned) }
                })
                .collect(),
        },
        "wrapped" => KeyLine::Wrapped { line },
        "private" => KeyLine::PrivateKey { line },
        _ => KeyLine::Other { line },
    })
}

/// The server's own keys.
pub(crate) fn host_keys(part: &Part<'_>, _: &Asked) -> Result<HostKeys, String> {
    part.needed("paths")?;
    Ok(HostKeys {
        files: part.paths("paths", "stat"),
        fingerprints: part.lines("fingerprints").map(str::to_owned).collect(),
    })
}
