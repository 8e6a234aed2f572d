//! The figures that the README quotes, measured on a real VM in one run.
//!
//! Whole processes, as an operator waits for them: each row is the median and
//! the worst of its runs beside the limit that the issue sets, or beside a peer
//! that does the same on the same VM in the same run. Words on the command line
//! choose: `figures reset list`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures are printed")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::{Lab, Ran, words};
use figure::{Beside, RUNS, measure, row, timed};

mod az;
mod azure;
mod figure;

/// What can be measured, with the word for it.
type Figure = (&'static str, fn(&Lab));

const FIGURES: [Figure; 6] = [
    ("reset", az::reset_ssh),
    ("list", |_| az::list()),
    ("diagnose", diagnose),
    ("repair", repair),
    ("azure", azure::azure),
    ("create", create),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let known = |word: &String| FIGURES.iter().any(|(name, _)| name == word);
    if let Some(word) = words.iter().find(|word| !known(word)) {
        let names = FIGURES.map(|(name, _)| name).join(", ");
        eprintln!("there is no figure {word:?}; there are {names}");
        std::process::exit(2);
    }
    let lab = Lab::up();
    println!("{:<44} {:>9} {:>9}  beside", "figure", "median", "worst");
    for (name, figure) in FIGURES {
        if words.is_empty() || words.iter().any(|word| word == name) {
            figure(&lab);
        }
    }
}

/// The peer is what an operator would do first: ask ssh itself, which says that
/// it fails and not why.
fn diagnose(lab: &Lab) {
    let vm = lab.vm();
    vm.sh("echo 'PermitRootLogn no' >/etc/ssh/sshd_config.d/90-x.conf; systemctl restart ssh");
    let diagnosed = measure(|| assert_eq!(vm.diagnose().0.exit, 1));
    let asked = measure(|| assert_ne!(vm.ssh("true").exit, 0));
    row(
        "diagnose, sshd refuses its configuration",
        &diagnosed,
        &Beside::Peer("ssh", asked),
    );
    vm.sh("rm /etc/ssh/sshd_config.d/90-x.conf; systemctl reset-failed ssh; systemctl restart ssh");

    lab.say(
        "network nsg rule create -g lab --nsg-name vm1NSG -n no --priority 100 \
         --access Deny --protocol * --destination-port-ranges *",
    )
    .ok();
    let diagnosed = measure(|| assert_eq!(vm.diagnose().0.exit, 1));
    let asked = measure(|| assert_ne!(vm.ssh("true").exit, 0));
    row("diagnose, an NSG denies", &diagnosed, &Beside::Peer("ssh", asked));
    lab.say("network nsg rule delete -g lab --nsg-name vm1NSG -n no").ok();
}

fn repair(lab: &Lab) {
    let vm = lab.vm();
    let runs = (0..RUNS)
        .map(|_| {
            vm.sh("rm -rf /home/azureuser/.ssh").ok();
            timed(|| assert_eq!(vm.repair().0.exit, 0))
        })
        .collect::<Vec<_>>();
    row(
        "diagnose + repair + login, the key is gone",
        &runs,
        &Beside::Limit(Duration::from_secs(5)),
    );
}

fn create(lab: &Lab) {
    let public = format!("{}.pub", lab.vm().key());
    let mut runs = Vec::new();
    for number in 0..3 {
        let name = format!("bench{number}");
        let line = format!(
            "vm create -g lab -n {name} --image Debian12 --admin-username azureuser \
             --ssh-key-values {public} -o json"
        );
        let mut command = lab.command(&words(&line));
        let start = Instant::now();
        let made = Ran::of({
            command.stderr(Stdio::null());
            command
        })
        .ok()
        .json();
        let host = made["publicIpAddress"].as_str().expect("an address").to_owned();
        while !banner(&host) {}
        runs.push(start.elapsed());
        lab.say(&format!("vm delete -g lab -n {name} --yes")).ok();
    }
    row("vm create to the SSH banner", &runs, &Beside::Limit(Duration::from_secs(4)));
}

fn banner(host: &str) -> bool {
    let mut keyscan = Command::new("ssh-keyscan");
    keyscan.args(["-T", "1", "-t", "ed25519", host]);
    Ran::of(keyscan).stdout.contains("ssh-ed25519")
}
