//! The bench on which one case after the other is carried out.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use doctor::fault::Place;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::report::Verdict;
use super::snapshot;
use crate::api::{self, RESOURCES};
use crate::failure::Failure;
use crate::lab::case::{Case, Injection};
use crate::lab::inject::{self, Subject};
use crate::lab::{LabState, key, ready};
use crate::provision::{self, Network, NewVm};
use crate::session::Session;

/// Groups of the gauntlet begin with this.
const PREFIX: &str = "gauntlet-";
const VM: &str = "vm";
const USER: &str = "azureuser";
/// One command of ours; a repair with several reboots is the longest.
const LIMIT: Duration = Duration::from_secs(600);
/// How often an operator types what a repair says before it must work.
const ROUNDS: u32 = 3;

/// What all cases share.
#[derive(Debug)]
pub(crate) struct Bench {
    lab: LabState,
    session: Session,
    faults: Vec<PathBuf>,
    address: Option<IpAddr>,
    work: TempDir,
}

/// One broken VM.
struct Patient<'a> {
    bench: &'a Bench,
    subject: Subject,
    directory: PathBuf,
    /// The name to diagnose instead of the VM's address.
    host: Option<String>,
}

impl Bench {
    /// A bench in a running lab. `faults` are directories with more faults; `address` is
    /// what an operator says who is asked for the own one.
    pub(crate) fn new(
        lab: LabState,
        session: Session,
        faults: Vec<PathBuf>,
        address: Option<IpAddr>,
    ) -> Result<Self, Failure> {
        let work = tempfile::tempdir().map_err(|error| {
            Failure::new("cannot make a directory to work in").because(error)
        })?;
        Ok(Self { lab, session, faults, address, work })
    }

    /// Carries out one case and deletes its VM. `number` is unique in the run.
    pub(crate) async fn carry_out(&self, case: &Case, number: usize) -> Verdict {
        let group = format!("{PREFIX}{number}");
        let mut verdict =
            Verdict { reachable: None, named: None, repaired: None, trouble: None };
        if let Err(failure) = self.attempt(case, &group, &mut verdict).await {
            verdict.trouble = Some(failure.chain());
        }
        if let Err(failure) = self.delete(&group).await {
            verdict.trouble.get_or_insert(failure.chain());
        }
        verdict
    }

    async fn attempt(
        &self,
        case: &Case,
        group: &str,
        verdict: &mut Verdict,
    ) -> Result<(), Failure> {
        let patient = self.admit(case, group).await?;
        for injection in &case.injections {
            let Injection { place, script } = injection;
            inject::run(&self.lab, &patient.subject, *place, script).await?;
        }

        let (_, mut diagnosis) = patient.regain("diagnose", &[]).await?;
        if let Some(address) = self.said(&diagnosis["causes"][0]["repairs"][0]) {
            (_, diagnosis) = patient.regain("diagnose", &address).await?;
        }
        verdict.reachable = diagnosis["reachable"].as_bool();
        verdict.named = diagnosis["causes"][0]["fault"].as_str().map(str::to_owned);
        if case.is_healthy() {
            return Ok(());
        }
        if !case.repairable {
            // It may still say what to type: then that is tried. Advice to log in
            // another way is not typed, for it would wait for an answer.
            let advice =
                diagnosis["causes"][0]["repairs"][0]["action"]["command"].as_str();
            let advice = advice.filter(|command| !command.starts_with("ssh "));
            let clients = case.injections.iter().all(|one| one.place == Place::Client);
            if let (true, Some(command)) = (clients, advice)
                && patient.type_in(command).await.is_ok()
            {
                let (_, diagnosis) = patient.regain("diagnose", &[]).await?;
                verdict.repaired = (diagnosis["reachable"] == true).then_some(true);
            }
            return Ok(());
        }

        let vm = format!("{group}/{VM}");
        let before = snapshot::take(&self.lab, &vm).await?;
        let (repaired, undo) = patient.repair().await?;
        verdict.repaired = Some(repaired);
        for id in undo.iter().rev() {
            patient.undo(id).await?;
        }
        let after = snapshot::take(&self.lab, &vm).await?;
        if let (Some(before), Some(after)) = (before, after) {
            let differences = before.differences(&after);
            if !undo.is_empty() && !differences.is_empty() {
                return Err(Failure::new(format!(
                    "not undone: {}",
                    differences.join("; ")
                )));
            }
        }
        Ok(())
    }

    /// What an operator adds who is asked for the own address by this step.
    fn said(&self, step: &Value) -> Option<[String; 2]> {
        let address = self.address.filter(|_| step["id"] == "say-client-address")?;
        Some(["--client-address".to_owned(), address.to_string()])
    }

    /// A fresh VM with a key of its own.
    async fn admit(&self, case: &Case, group: &str) -> Result<Patient<'_>, Failure> {
        let directory = self.work.path().join(group);
        let private = directory.join("id_ed25519");
        key::make(&private, key::Kind::Ed25519)?;
        let path = api::path(&self.session.group(group)?, RESOURCES);
        self.session.client.put(&path, &json!({ "location": "local" })).await?;
        let keys = [key::public_half(&private)?];
        let new = NewVm {
            group,
            name: VM,
            location: None,
            image: "Debian12",
            size: "Standard_DS1_v2",
            user: USER,
            keys: &keys,
            password: None,
            network: Network::default(),
            tags: serde_json::Map::new(),
            computer_name: None,
            identities: &[],
        };
        let summary = provision::create(&self.session, &new, true, &|_| {}).await?;
        let address =
            summary["publicIpAddress"].as_str().and_then(|text| text.parse().ok());
        let address =
            address.ok_or_else(|| Failure::new("the VM has no public address"))?;
        ready::banner(SocketAddr::new(address, 22)).await?;
        let subject = Subject {
            group: group.to_owned(),
            name: VM.to_owned(),
            host: address.to_string(),
            user: USER.to_owned(),
            key: private,
        };
        Ok(Patient { bench: self, subject, directory, host: case.host.clone() })
    }

    async fn delete(&self, group: &str) -> Result<(), Failure> {
        let path = api::path(&self.session.group(group)?, RESOURCES);
        match self.session.client.delete(&path).await {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Deletes every group that this or an earlier run has left.
    pub(crate) async fn clear(&self) -> Result<(), Failure> {
        let path = api::below(&self.session.scope(None)?, "resourceGroups", RESOURCES);
        for group in self.session.client.list(&path).await? {
            let name = group["name"].as_str().unwrap_or_default();
            if name.starts_with(PREFIX) {
                self.delete(name).await?;
            }
        }
        Ok(())
    }
}

impl Patient<'_> {
    /// Repairs, typing what the operator is told to type. Whether the login
    /// works at the end, and the ids to undo.
    async fn repair(&self) -> Result<(bool, Vec<String>), Failure> {
        let mut undo = Vec::new();
        let mut more = Vec::new();
        for _ in 0..ROUNDS {
            let (_, outcome) = self.regain("repair", &more).await?;
            undo.extend(outcome["undoId"].as_str().map(str::to_owned));
            if let Some(address) = self.bench.said(&outcome["next"]) {
                more.extend(address);
                continue;
            }
            let command = outcome["next"]["action"]["command"].as_str();
            match (outcome["status"].as_str(), command) {
                (Some("repaired" | "healthy"), _) => return Ok((true, undo)),
                (Some("operators"), Some(command)) => self.type_in(command).await?,
                _ => return Ok((false, undo)),
            }
        }
        Ok((false, undo))
    }

    async fn undo(&self, id: &str) -> Result<(), Failure> {
        let (status, undone) = self.run(&["undo", id]).await?;
        if status == 0 {
            return Ok(());
        }
        Err(Failure::new(format!("undo left something: {}", undone["remains"])))
    }

    /// The operator's shell.
    async fn type_in(&self, command: &str) -> Result<(), Failure> {
        let output = bounded(Command::new("/bin/sh").args(["-c", command])).await?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Failure::new(format!("what regain said to type failed: {command}: {said}")))
    }

    /// `regain diagnose` or `regain repair` on this VM, with more words.
    async fn regain(&self, verb: &str, more: &[String]) -> Result<(i32, Value), Failure> {
        let text = |path: &Path| path.display().to_string();
        let mut line = vec![verb.to_owned()];
        line.extend(self.host.as_ref().map(|host| format!("{USER}@{host}")));
        line.extend(["-g", &self.subject.group, "-n", VM, "-i"].map(str::to_owned));
        line.push(text(&self.subject.key));
        line.extend([
            "--known-hosts".to_owned(),
            text(&self.directory.join("known_hosts")),
        ]);
        for directory in &self.bench.faults {
            line.extend(["--faults".to_owned(), text(directory)]);
        }
        line.extend_from_slice(more);
        self.run(&line.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// Our own program, as an operator of this lab runs it.
    async fn run(&self, line: &[&str]) -> Result<(i32, Value), Failure> {
        let program = std::env::current_exe().map_err(|error| {
            Failure::new("cannot find this program's own file").because(error)
        })?;
        let mut command = Command::new(program);
        command
            .args(line)
            .args(["-o", "json"])
            .env("REGAIN_STATE", self.bench.lab.dir())
            .env("REGAIN_CLOUD", "lab")
            .env("REGAIN_STATE_HOME", self.directory.join("journal"));
        let output = bounded(&mut command).await?;
        let document = serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Failure::new(format!("regain {} gave no result: {said}", line.join(" ")))
        })?;
        Ok((output.status.code().unwrap_or(-1), document))
    }
}

async fn bounded(command: &mut Command) -> Result<std::process::Output, Failure> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    tokio::time::timeout(LIMIT, command.output())
        .await
        .map_err(|_| Failure::new("a command of the gauntlet did not end"))?
        .map_err(|error| {
            Failure::new("cannot run a command of the gauntlet").because(error)
        })
}
