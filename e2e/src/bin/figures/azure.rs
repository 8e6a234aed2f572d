//! What a diagnosis and a repair cost on Azure: the lab in Azure's weather, where a Run
//! Command takes half a minute, one call returns 4,096 bytes of each stream and every
//! answer comes 120 ms later. Requests are counted as regain itself tells them.

use std::time::Duration;

use e2e::{Lab, Ran, words};

use crate::figure::timed;

/// Azure's weather without what would be another figure's doing: no VM starts here, and
/// what the lines before asked is not counted against the next.
const WEATHER: &str = "azure,boot=off,throttle=off";

/// What one Run Command takes there.
const RUN_COMMAND: Duration = Duration::from_secs(30);

/// A login that works is to be known by then.
const HEALTHY: Duration = Duration::from_secs(3);

/// What is to be typed, and how many Run Commands it may need.
const VERBS: [(&str, u32); 2] = [("diagnose", 1), ("repair", 2)];

/// How much more than these it may take.
const BESIDE: Duration = Duration::from_secs(3);

/// What is broken, how, and how it is mended.
const FAULTS: [(&str, &str, &str); 3] = [
    (
        "sshd refuses its configuration",
        "echo 'PermitRootLogn no' >/etc/ssh/sshd_config.d/90-x.conf; systemctl restart ssh; true",
        "rm -f /etc/ssh/sshd_config.d/90-x.conf; systemctl reset-failed ssh; systemctl restart ssh",
    ),
    (
        "the key is gone",
        "mv /home/azureuser/.ssh /home/azureuser/s",
        "rm -rf /home/azureuser/.ssh; mv /home/azureuser/s /home/azureuser/.ssh",
    ),
    (
        "a packet filter of 2,000 rules",
        "{ echo 'table inet many { chain c { type filter hook input priority 0;'; \
         for i in $(seq 2000); do echo \"ip saddr 10.$((i / 250)).$((i % 250)).1 drop\"; done; \
         echo 'tcp dport 22 drop'; echo '}; }'; } | nft -f -",
        "nft delete table inet many",
    ),
];

/// A line for a login that works; then one for each diagnosis, and for each repair.
pub(crate) fn azure(lab: &Lab) {
    lab.say(&format!("lab weather {WEATHER}")).ok();
    let healthy = Cost::of(lab, "diagnose");
    healthy.tell("on Azure, diagnose, the login works", HEALTHY);
    for (fault, harm, mend) in FAULTS {
        for (verb, run_commands) in VERBS {
            lab.vm().sh(harm).ok();
            let cost = Cost::of(lab, verb);
            lab.vm().sh(mend);
            let limit = RUN_COMMAND * run_commands + BESIDE;
            cost.tell(&format!("on Azure, {verb}, {fault}"), limit);
        }
    }
    lab.say("lab weather clear").ok();
}

/// What one command cost.
struct Cost {
    took: Duration,
    /// Run Commands begun.
    run_commands: u32,
    /// Questions after the state of what is under way.
    polls: u32,
    /// All other requests.
    others: u32,
    /// Bytes of the scripts that were sent, and of the answers that the polls brought.
    sent: u64,
    received: u64,
}

impl Cost {
    fn of(lab: &Lab, verb: &str) -> Self {
        let key = lab.vm().key();
        let line = format!("{verb} -g lab -n vm1 -i {key} --debug -o json");
        let mut ran = None;
        let took = timed(|| ran = Some(lab.regain(&words(&line))));
        let ran: Ran = ran.expect("it was timed");
        // Where thousands of rules ask for the client's address, nothing is decided.
        assert!(matches!(ran.exit, 0 | 1 | 4), "{ran:#?}");
        let mut cost =
            Self { took, run_commands: 0, polls: 0, others: 0, sent: 0, received: 0 };
        for line in ran.stderr.lines().filter(|line| line.contains("answered")) {
            if line.contains("/runCommand") {
                cost.run_commands += 1;
                cost.sent += number(line, "sent");
            } else if line.contains("/operations/") || line.contains("Operations/") {
                cost.polls += 1;
                cost.received += number(line, "received");
            } else {
                cost.others += 1;
            }
        }
        cost
    }

    fn tell(&self, what: &str, limit: Duration) {
        println!(
            "{what:<58} {:>5.1} s (limit {:>2.0} s)  {} Run Commands ({} bytes there, {} back), \
             {} other requests, {} polls",
            self.took.as_secs_f64(),
            limit.as_secs_f64(),
            self.run_commands,
            self.sent,
            self.received,
            self.others,
            self.polls,
        );
    }
}

/// `NAME=NUMBER` in a line of the log.
fn number(line: &str, name: &str) -> u64 {
    let word = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    word.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
