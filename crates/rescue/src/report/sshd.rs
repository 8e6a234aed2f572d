//! Blocks of the report -> the SSH server: program, settings, files, journal.

use std::collections::BTreeMap;

use doctor::case::{CommandOutput, Config, Journal, NameService, Settings, Sshd};

use crate::report::{Asked, Part};

/// getent(1): 0 found, 2 not found, everything else is no answer.
pub(super) fn name_service(status: Option<&str>) -> NameService {
    match status {
        None => NameService::NotAsked,
        Some("0") => NameService::Found,
        Some("2") => NameService::NotFound,
        Some(_) => NameService::Failed,
    }
}

/// The program, and what it says of its configuration.
pub(crate) fn sshd(part: &Part<'_>, _: &Asked) -> Result<Sshd, String> {
    part.needed("program")?;
    let test = part.text("test").map(|words| CommandOutput {
        exit: part.argument("test.exit").and_then(|exit| exit.parse().ok()),
        stdout: String::new(),
        stderr: words.trim_end().to_owned(),
    });
    Ok(Sshd {
        binary: part.lines("program").next().map(str::to_owned),
        test,
        privsep: name_service(part.argument("privsep.service")),
        privsep_line: part.argument("privsep.line").map(|status| status == "0"),
    })
}

/// Lines of `KEYWORD VALUE`.
pub(crate) fn settings(part: &Part<'_>, asked: &Asked) -> Result<Settings, String> {
    if part.text("none").is_some() {
        return Err("there is no sshd to ask for its settings".to_owned());
    }
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in part.lines("settings") {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        let values = values.entry(keyword.to_ascii_lowercase()).or_default();
        values.push(value.to_owned());
    }
    if values.is_empty() {
        // What sshd refuses, its section says; here it would be said twice.
        return Err(match part.lines("errors").next() {
            Some(_) => "sshd tells its settings only when it accepts its configuration",
            None => "sshd told no settings",
        }
        .to_owned());
    }
    Ok(Settings { values, address: asked.address.clone() })
}

/// Files, and those that were not read.
pub(crate) fn config(part: &Part<'_>, _: &Asked) -> Result<Config, String> {
    let by_path = |name: &str| -> BTreeMap<String, String> {
        part.all(name)
            .map(|block| (block.argument.to_owned(), block.text.to_owned()))
            .collect()
    };
    let mut skipped = by_path("skipped");
    for why in skipped.values_mut() {
        *why = why.trim().to_owned();
    }
    Ok(Config { files: by_path("file"), skipped })
}

/// Messages.
pub(crate) fn journal(part: &Part<'_>, _: &Asked) -> Result<Journal, String> {
    part.needed("journal")?;
    Ok(Journal {
        lines: part.lines("journal").map(str::to_owned).collect(),
        whole: part.argument("journal") == Some("whole"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::read;

    #[test]
    fn settings_that_sshd_does_not_tell_are_not_empty_settings() {
        let told =
            read("M settings\nport 22\nport 2222\nusepam yes\n", settings).unwrap();
        assert_eq!(told.values["port"], ["22", "2222"]);
        assert_eq!(told.address, None);
        let refused = read("M settings\n\nM errors\n/etc: line 1: x\n", settings);
        assert!(refused.unwrap_err().contains("accepts its configuration"));
        assert!(read("M none\n", settings).unwrap_err().contains("no sshd"));
    }

    #[test]
    fn the_two_answers_about_an_account_are_kept_apart() {
        let text = "M program\n/usr/sbin/sshd\n\nM test\n\nM test.exit 0\n\
                    \nM privsep.service 2\n\nM privsep.line 0\n";
        let found = read(text, sshd).unwrap();
        assert_eq!(found.privsep, NameService::NotFound);
        assert_eq!(found.privsep_line, Some(true));
        assert_eq!(found.test.unwrap().exit, Some(0));
        assert_eq!(name_service(Some("124")), NameService::Failed);
    }
}
