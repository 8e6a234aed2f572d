//! One family with one client: its world is made, its cases run in order, and its
//! world is taken away.

use std::time::Instant;

use e2e::{Client, Operator, Principal, Ran};

use crate::case::{Case, Family, World};
use crate::check::{Check, Scene};
use crate::report::{Report, Row};
use crate::words::{Names, fill, split};

/// A family being run.
pub(crate) struct Session<'a> {
    operator: Operator<'a>,
    client: Client,
    family: &'a Family,
    names: Names,
    report: &'a Report,
}

impl<'a> Session<'a> {
    /// `operator` is the family's own.
    pub(crate) fn new(
        operator: Operator<'a>,
        client: Client,
        family: &'a Family,
        report: &'a Report,
    ) -> Self {
        let slug = family.slug(client);
        let home = operator.home().display().to_string();
        let entry = operator.entry().clone();
        let group =
            format!("/subscriptions/{}/resourceGroups/{slug}", entry.subscription);
        let names = [
            ("g", slug.clone()),
            ("vm", slug.clone()),
            ("id", group.clone()),
            (
                "vmid",
                format!("{group}/providers/Microsoft.Compute/virtualMachines/{slug}"),
            ),
            ("netid", format!("{group}/providers/Microsoft.Network")),
            ("key", format!("{home}/key")),
            ("pub", format!("{home}/key.pub")),
            ("home", home),
            ("endpoint", entry.endpoint),
            ("tenant", entry.tenant),
            ("client", entry.client_id),
            ("secret", entry.client_secret),
            ("sub", entry.subscription),
            ("identity", entry.identity),
        ];
        let names = names.map(|(name, value)| (name.to_owned(), value)).into();
        Self { operator, client, family, names, report }
    }

    /// Run the cases up to the last one that `wanted` names.
    pub(crate) fn run(mut self, wanted: impl Fn(&str) -> bool) {
        if let Err(why) = self.begin() {
            self.report.add(&Row {
                family: self.family.name,
                client: self.client.name().to_owned(),
                command: format!("(the world of {})", self.family.name),
                took: Default::default(),
                wrong: vec![why],
                ran: None,
            });
        } else {
            let family = self.family;
            let mine: Vec<&Case> =
                family.cases.iter().filter(|case| case.is_for(self.client)).collect();
            let last = mine.iter().rposition(|case| wanted(case.line));
            for case in &mine[..last.map_or(0, |last| last + 1)] {
                self.carry_out(case);
            }
            for (line, formats) in family.alike.iter().filter(|(line, _)| wanted(line)) {
                for format in *formats {
                    self.compare(line, format);
                }
            }
        }
        self.end();
    }

    fn begin(&mut self) -> Result<(), String> {
        let family = self.family;
        if family.world == World::Empty {
            return Ok(());
        }
        self.check(&Check::Do("group create -n {g} -l local"), None, true)?;
        if family.world == World::Vm {
            let line = "vm create -g {g} -n {vm} --image Debian12 --admin-username azureuser \
                        --ssh-key-values {pub} -o json";
            let words = split(&fill(line, &self.names));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let made = self.operator.look(&words)?;
            let ip = made["publicIpAddress"].as_str().unwrap_or_default();
            self.names.insert("ip".to_owned(), ip.to_owned());
            self.check(&Check::Soon(Box::new(Check::Login("azureuser"))), None, true)?;
        }
        Ok(())
    }

    /// Whatever the family left goes. What it should have removed itself is checked by
    /// its own cases.
    fn end(&self) {
        if self.family.world != World::Empty {
            let line = ["group", "delete", "-n", &self.names["g"], "--yes"];
            self.operator.run(Client::Regain, &line, None);
        }
    }

    fn check(
        &self,
        check: &Check,
        ran: Option<&Ran>,
        hopeful: bool,
    ) -> Result<(), String> {
        check.holds(&Scene { operator: &self.operator, names: &self.names, ran, hopeful })
    }

    fn carry_out(&mut self, case: &Case) {
        let line = fill(case.line, &self.names);
        let mut wrong: Vec<String> = Vec::new();
        for check in &case.given {
            wrong.extend(
                self.check(check, None, true).err().map(|why| format!("before: {why}")),
            );
        }
        let client = case.with.unwrap_or(self.client);
        let who = case.who.map(|name| self.principal(name));
        if let Some(who) = &who
            && client == Client::Az
        {
            wrong.extend(self.operator.sign_in_as(who).err());
        }
        let words = match client {
            Client::Python => vec![line.clone()],
            _ => split(&line),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let start = Instant::now();
        let mut command = self.operator.command(client, &words, who.as_ref());
        command
            .envs(case.env.iter().map(|(name, value)| (name, fill(value, &self.names))));
        let ran = Ran::of(command);
        let took = start.elapsed();
        self.keep(case, &ran, &mut wrong);
        let hopeful = wrong.is_empty() && ran.exit == case.exit();
        wrong.extend(judge(case, &ran, |check| self.check(check, Some(&ran), hopeful)));
        self.report.add(&Row {
            family: self.family.name,
            client: client.name().to_owned(),
            command: format!("{} {}", client.prompt(), self.masked(&line)),
            took,
            wrong,
            ran: Some(ran),
        });
    }

    fn keep(&mut self, case: &Case, ran: &Ran, wrong: &mut Vec<String>) {
        if case.keep.is_empty() {
            return;
        }
        let scene = Scene {
            operator: &self.operator,
            names: &self.names,
            ran: Some(ran),
            hopeful: false,
        };
        let answer = scene.answer().unwrap_or_default();
        for (name, pointer) in &case.keep {
            match answer.pointer(pointer).and_then(|value| value.as_str()) {
                Some(value) => {
                    self.names.insert((*name).to_owned(), value.to_owned());
                }
                None => wrong.push(format!("no text is at {pointer}")),
            }
        }
    }

    fn principal(&self, name: &str) -> Principal {
        let value = |what: &str| {
            self.names.get(&format!("{name}_{what}")).cloned().unwrap_or_default()
        };
        Principal { name: name.to_owned(), id: value("id"), secret: value("secret") }
    }

    /// Without what must not be shown.
    fn masked(&self, line: &str) -> String {
        let secrets = self
            .names
            .iter()
            .filter(|(name, _)| name.ends_with("secret") || *name == "identity");
        secrets.fold(line.to_owned(), |line, (_, secret)| {
            if secret.is_empty() { line } else { line.replace(secret, "…") }
        })
    }

    /// The same line by az and by regain: the same bytes.
    fn compare(&self, line: &str, format: &str) {
        let line = format!("{} -o {format}", fill(line, &self.names));
        let words = split(&line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let start = Instant::now();
        let az = self.operator.run(Client::Az, &words, None);
        let regain = self.operator.run(Client::Regain, &words, None);
        let took = start.elapsed();
        let wrong = crate::alike::differences(&az, &regain);
        self.report.add(&Row {
            family: self.family.name,
            client: "az=regain".to_owned(),
            command: line,
            took,
            wrong,
            ran: None,
        });
    }
}

/// What does not hold of a case that was run.
pub(crate) fn judge(
    case: &Case,
    ran: &Ran,
    holds: impl Fn(&Check) -> Result<(), String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    if ran.exit == 124 {
        wrong.push("it did not end in time".to_owned());
    } else if ran.exit != case.exit() {
        wrong.push(format!("exit status {}, not {}", ran.exit, case.exit()));
    }
    let its_own = case.then.iter().any(|check| matches!(check, Check::Crashes));
    if its_own {
        // Known of the client, whatever the server says: the row tells it.
    } else if ran.stderr.contains("Traceback (most recent call last)")
        || ran.stderr.contains("The command failed with an unexpected error")
        || ran.stderr.contains("panicked at")
    {
        wrong.push("it crashed".to_owned());
    }
    wrong.extend(case.then.iter().filter_map(|check| holds(check).err()));
    wrong
}

#[cfg(test)]
mod tests {
    use e2e::Ran;
    use serde_json::json;

    use super::judge;
    use crate::case::{fails, run};
    use crate::check::Check;

    fn ran(exit: i32, stdout: &str, stderr: &str) -> Ran {
        Ran { exit, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn a_wrong_exit_status_fails_the_case() {
        let holds = |_: &Check| Ok(());
        assert!(judge(&run("x"), &ran(0, "", ""), holds).is_empty());
        assert_eq!(judge(&run("x"), &ran(1, "", ""), holds).len(), 1);
        assert_eq!(judge(&fails(3, "x"), &ran(0, "", ""), holds).len(), 1);
        assert!(judge(&fails(3, "x"), &ran(3, "", ""), holds).is_empty());
    }

    #[test]
    fn a_check_that_does_not_hold_fails_the_case() {
        let case = run("x").then(Check::Is("/name", json!("a")));
        let wrong = judge(&case, &ran(0, "{}", ""), |_| Err("no".to_owned()));
        assert_eq!(wrong, ["no"]);
    }

    #[test]
    fn a_crash_fails_the_case_whatever_its_exit_status() {
        let trace = "ERROR: x\nTraceback (most recent call last):\n";
        assert_eq!(judge(&fails(1, "x"), &ran(1, "", trace), |_| Ok(())).len(), 1);
    }

    #[test]
    fn a_command_that_hangs_fails_the_case() {
        assert_eq!(judge(&run("x"), &ran(124, "", ""), |_| Ok(())).len(), 1);
    }
}
