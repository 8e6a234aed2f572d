//! One trick on one VM: plant, diagnose, repair, compare, undo, put back.

use std::collections::BTreeMap;

use e2e::{Disk, Lab, Ran, Vm};
use serde_json::Value;

use crate::tricks::{Planter, Trick};

/// What the user owns. Whoever keeps a home elsewhere says so.
const HOME: &str = "/home/";

/// Files with something that nobody may see: in the case it would be a leak, and as a
/// key it would let somebody in.
const SETUP: &str = "
install -d -m 700 /root/kept
printf 'CANARY-ONE\\nCANARY-TWO ssh-ed25519 AAAA\\n' >/root/kept/secret
chmod 600 /root/kept/secret
printf 'other:$6$canarysalt$CANARYHASH:19000:0:99999:7:::\\n' >>/etc/shadow
printf 'other:x:1999:1999::/nonexistent:/usr/sbin/nologin\\n' >>/etc/passwd
printf 'other:x:1999:\\n' >>/etc/group
mkdir -p /var/lib/pristine
cp -a /etc /home /var/lib/pristine/
";

/// The disk as it was, whatever the trick has done.
const PUT_BACK: &str = "
[ ! -f /home/azureuser/race.pid ] || kill -KILL $(cat /home/azureuser/race.pid) 2>/dev/null
for place in $(awk '$2 ~ /^\\/home/ { print $2 }' /proc/mounts | tac); do umount $place; done
chattr -R -i /home 2>/dev/null
changed=$(ls /etc/ssh/sshd_config.d)
rm -rf /home/* /srv/* /tmp/keys /tmp/h /etc/ld.so.preload /etc/evil /etc/cron.d/evil /etc/cron.d/authorized_keys
cd /var/lib/pristine
cp -a --remove-destination etc/. /etc/
cp -a home/. /home/
find /etc -xdev | while read -r f; do
    [ -e \"/var/lib/pristine$f\" ] || [ -L \"/var/lib/pristine$f\" ] || rm -rf \"$f\"
done
chmod 1777 /tmp /var/tmp
[ -z \"$changed\" ] || systemctl reload ssh
for i in $(seq 100); do ! ss -Htln 'sport = :22' | grep -q . || break; sleep 0.1; done
";

/// A VM for many tricks.
pub(crate) struct Trial<'lab> {
    lab: &'lab Lab,
    vm: Vm<'lab>,
    pristine: Disk,
}

impl<'lab> Trial<'lab> {
    pub(crate) fn begin(lab: &'lab Lab) -> Self {
        let vm = lab.vm();
        vm.ssh("true").ok();
        vm.sh(SETUP).ok();
        let pristine = Disk::of(&vm);
        Self { lab, vm, pristine }
    }

    /// Everything that is wrong, with the trick's name before it.
    pub(crate) fn carry_out(&self, trick: &Trick) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut say = |what: String| wrong.push(format!("{}: {what}", trick.name));
        let vm = &self.vm;
        vm.ssh("true").ok();
        match trick.by {
            Planter::User => vm.ssh(trick.plant).ok(),
            Planter::Root => vm.sh(trick.plant).ok(),
        };
        let (before, rights) = (self.pristine.later(vm), self.rights());

        let case = self.lab.home().join("case.json");
        let saved = case.to_string_lossy().into_owned();
        let ran = self.lab.regain(&[
            "diagnose", "-g", "lab", "-n", "vm1", "-o", "json", "--save", &saved,
        ]);
        let case = std::fs::read_to_string(&case).unwrap_or_default();
        if case.is_empty() {
            say(format!("no case was saved: {ran:#?}"));
        }
        let harm = before.changes(&self.pristine.later(vm));
        if !trick.races && !harm.is_empty() {
            say(format!("a diagnosis changes {harm:#?}"));
        }

        let repaired =
            self.lab.regain(&["repair", "-g", "lab", "-n", "vm1", "-o", "json"]);
        let after = self.pristine.later(vm);
        for (path, change) in outside(trick, before.changes(&after)) {
            say(format!("{path} was changed: {change}"));
        }
        if self.rights() != rights {
            say(format!("{rights}\nbecame\n{}", self.rights()));
        }
        let outcome: Value = serde_json::from_str(&repaired.stdout).unwrap_or_default();
        let claims = matches!(outcome["status"].as_str(), Some("repaired" | "healthy"));
        if outcome.is_null() {
            say(format!("the repair has no result: {repaired:#?}"));
        }
        if claims && !trick.races && vm.ssh("true").exit != 0 {
            say(format!("it says {} and nobody can log in", outcome["status"]));
        }
        for leak in leaks(&case, &[&ran, &repaired]) {
            say(format!("{leak} is told"));
        }
        if let Some(id) = outcome["undoId"].as_str() {
            let undone = self.lab.regain(&["undo", id, "-o", "json"]);
            if undone.exit != 0 && !trick.races {
                say(format!("undo: {undone:#?}"));
            }
            let rest = before.changes(&self.pristine.later(vm));
            let rest = if trick.races { outside(trick, rest) } else { rest };
            if !rest.is_empty() {
                say(format!("not undone: {rest:#?}"));
            }
        }
        vm.sh(PUT_BACK).ok();
        wrong
    }

    /// What the user may do besides what the disk says.
    fn rights(&self) -> String {
        let asked = "id azureuser; sudo -l -U azureuser";
        let Ran { stdout, stderr, .. } = self.vm.sh(asked);
        format!("{stdout}{stderr}")
    }
}

/// The changes that a repair must not make.
fn outside(trick: &Trick, changes: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = |path: &String, change: &String| {
        let mut sides = change.split(" -> ");
        path.starts_with(HOME)
            || trick.may.iter().any(|may| path.starts_with(may))
            || sides.all(|side| side.contains(" 1000:1000"))
    };
    changes.into_iter().filter(|(path, change)| !own(path, change)).collect()
}

/// Words of files that no case, no output and no log may hold.
fn leaks(case: &str, runs: &[&Ran]) -> Vec<&'static str> {
    let said: String =
        runs.iter().map(|run| format!("{}{}", run.stdout, run.stderr)).collect();
    // Hashes, sudoers, cron's lines, the program of a device.
    let secrets = [
        "CANARY-ONE",
        "CANARY-TWO",
        "CANARYHASH",
        "canarysalt",
        "$y$",
        "$6$",
        "env_reset",
        "%sudo",
        "daemon:*:",
        "root:x:0:0",
    ];
    secrets
        .into_iter()
        .filter(|word| case.contains(word) || said.contains(word))
        .collect()
}
