//! `make conformance`: the proof that the unmodified clients work.
//!
//! ```text
//! lab ─ operator per family ─ command ─ what it said, the guest, the wire ─ a row
//! ```
//!
//! Families (`families/`) are lists of commands as they are typed, each with what must
//! hold then. Two lanes take families side by side on one real lab; the classic CLI,
//! which sleeps half a minute per operation, has a third. Every family has a resource
//! group, a VM and an operator of its own, so that they do not meet.

#![expect(clippy::print_stdout, reason = "the table is printed")]
#![expect(clippy::print_stderr, reason = "and what is wrong with the run itself")]

mod alike;
mod case;
mod check;
mod families;
mod proxy;
mod report;
mod session;
mod words;

use std::collections::VecDeque;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use e2e::{Client, Lab, Operator, Ran};

use case::Family;
use proxy::Proxy;
use report::{Report, Row};
use session::Session;

/// Families side by side, beside the classic CLI's.
const LANES: usize = 2;

/// Whom clients ask of themselves, and do without.
const ASKED_IN_VAIN: [&str; 2] = [
    // az, after a command that failed: whether it is connected at all.
    "azcliprod.blob.core.windows.net:443",
    // az, for a command that it does not know: whether an extension has it.
    "aka.ms:443",
];

const USAGE: &str = "usage: conformance [--only TEXT] [--client az|classic|python|regain] \
                     [-o json|table]\n\
                     \n\
                     --only TEXT     families, or commands, with this in them (and the commands\n\
                     \x20               of the same family before them)\n\
                     --client NAME   one client only";

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    only: Option<String>,
    client: Option<Client>,
    json: bool,
}

fn main() -> ExitCode {
    let wish = match Wish::read(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(why) => {
            eprintln!("conformance: {why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&wish) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("conformance: {why}");
            ExitCode::FAILURE
        }
    }
}

impl Wish {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wish = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--only" => wish.only = Some(value()?),
                "--client" => {
                    let name = value()?;
                    let client = Client::named(&name);
                    wish.client = Some(client.ok_or(format!("no client '{name}'"))?);
                }
                "-o" | "--output" => {
                    wish.json = match value()?.as_str() {
                        "json" => true,
                        "table" => false,
                        other => return Err(format!("no output format '{other}'")),
                    };
                }
                other => return Err(format!("unknown argument '{other}'")),
            }
        }
        Ok(wish)
    }

    /// Whether a family or one of its commands is meant.
    fn names(&self, family: &Family, client: Client) -> bool {
        let lines = family.cases.iter().filter(|case| case.is_for(client));
        self.client.is_none_or(|only| only == client)
            && (self.takes(family.name)
                || lines.map(|case| case.line).any(|line| self.takes(line))
                || family.alike.iter().any(|(line, _)| self.takes(line)))
    }

    fn takes(&self, text: &str) -> bool {
        self.only.as_ref().is_none_or(|only| text.contains(only.as_str()))
    }
}

fn run(wish: &Wish) -> Result<usize, String> {
    let start = Instant::now();
    let all = families::all();
    let chosen: Vec<(&Family, Client)> = all
        .iter()
        .flat_map(|family| family.clients.iter().map(move |client| (family, *client)))
        .filter(|(family, client)| wish.names(family, *client))
        .collect();
    if chosen.is_empty() {
        return Err("nothing is called so: no family, no command".to_owned());
    }
    let mut clients: Vec<Client> = chosen.iter().map(|(_, client)| *client).collect();
    // regain is every operator's second pair of eyes; az is what it is held against.
    clients.push(Client::Regain);
    if chosen.iter().any(|(family, _)| family.uses_az()) {
        clients.push(Client::Az);
    }
    clients.sort_unstable();
    clients.dedup();
    for client in &clients {
        client.installed()?;
    }

    let lab = Lab::down();
    lab.regain(&["lab", "up", "--no-vm"]).ok();
    let endpoint = e2e::Entry::of(&lab).endpoint;
    let proxy = Proxy::start(&lab.state(), &endpoint)?;
    let first = Operator::new(&lab, lab.home().join("first"), Some(proxy.url()));
    key(&lab.home().join("first/key"));
    let report = Report::new(wish.json);
    let mut outside = Vec::new();
    for client in &clients {
        if let Err(why) = first.sign_in(*client) {
            outside.push(*client);
            report.add(&Row {
                family: "login",
                client: client.name().to_owned(),
                command: "(logs in as the lab's owner)".to_owned(),
                took: start.elapsed(),
                wrong: vec![why],
                ran: None,
            });
        }
    }
    let (classic, others): (VecDeque<_>, VecDeque<_>) = chosen
        .into_iter()
        .filter(|(_, client)| !outside.contains(client))
        .partition(|(_, client)| *client == Client::Classic);
    let (classic, others) = (Mutex::new(classic), Mutex::new(others));
    let lane = |queue: &Mutex<VecDeque<(&Family, Client)>>| {
        loop {
            let Some((family, client)) =
                queue.lock().expect("no lane panics").pop_front()
            else {
                return;
            };
            let own = first.double(lab.home().join(family.slug(client)));
            let all = wish.takes(family.name);
            Session::new(own, client, family, &report)
                .run(|line| all || wish.takes(line));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| lane(&classic));
        for _ in 0..LANES {
            scope.spawn(|| lane(&others));
        }
    });
    let mut refused = proxy.refused();
    refused.retain(|host| !ASKED_IN_VAIN.contains(&host.as_str()));
    report.add(&Row {
        family: "loopback",
        client: "all".to_owned(),
        command: "(no client asked anybody but the lab)".to_owned(),
        took: start.elapsed(),
        wrong: refused.iter().map(|host| format!("{host} was asked for")).collect(),
        ran: None,
    });
    Ok(report.end(start.elapsed()))
}

/// The key that every VM's owner has.
fn key(path: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    keygen
        .args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "owner", "-f"])
        .arg(path);
    Ran::of(keygen).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(line: &str) -> Result<Wish, String> {
        Wish::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_asked_for_is_understood_or_refused() {
        let asked = wish("--only reset --client az -o json").expect("it is understood");
        assert_eq!(
            asked,
            Wish { only: Some("reset".to_owned()), client: Some(Client::Az), json: true }
        );
        assert!(wish("--client portal").is_err());
        assert!(wish("--only").is_err());
        assert!(wish("--fast").is_err());
    }

    #[test]
    fn families_have_names_of_their_own() {
        let all = families::all();
        let mut slugs: Vec<String> = all
            .iter()
            .flat_map(|family| family.clients.iter().map(|client| family.slug(*client)))
            .collect();
        slugs.sort();
        let count = slugs.len();
        slugs.dedup();
        assert_eq!(slugs.len(), count);
    }

    #[test]
    fn every_client_has_cases() {
        let all = families::all();
        for client in Client::ALL {
            assert!(
                all.iter().any(|family| family.clients.contains(&client)),
                "{client:?}"
            );
        }
    }
}
