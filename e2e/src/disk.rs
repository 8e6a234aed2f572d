//! A VM's whole disk at one moment, and what is different at another.

use std::collections::BTreeMap;

use crate::Vm;

/// What a running system changes by itself, and why. Everything else is compared.
const LIVES: [(&str, &str); 14] = [
    ("/var/lib/regain", "our own undo journal"),
    ("/var/lib/waagent", "goal states and the handlers' status"),
    ("/var/log", "the journal, and who was logged in"),
    ("/var/lib/systemd", "timers, the clock, the random seed"),
    ("/var/lib/private", "services of systemd"),
    ("/var/lib/sudo", "who has been told the rules of sudo"),
    ("/var/lib/pristine", "what the test puts back"),
    ("/var/cache", "caches"),
    ("/var/tmp", "private directories of services"),
    ("/tmp/systemd-private-", "private directories of services"),
    ("/etc/.pwd.lock", "shadow's lock: only its time"),
    ("/etc/group.lock", "shadow's lock"),
    ("/etc/passwd.lock", "shadow's lock"),
    ("/etc/shadow.lock", "shadow's lock"),
];

/// Kind, mode, owner, size, time of the last change to the content, target of a link,
/// path; then the hash of every file, or of every one whose ctime is after the mark:
/// the kernel sets it, whoever changes what of a file. /tmp is a file system of its own.
const SCRIPT: &str = "
mark=/run/disk.mark
listed() {
    # A directory that is moved while find is in it is an error of find's.
    find / /tmp -xdev \\( -path /var/lib/pristine -o -path /var/log -o -path /var/cache \\) \\
        -prune -o \"$@\" 2>/dev/null || :
}
if [ \"$NEWER\" ]; then NEWER=\"-cnewer $mark\"; else touch $mark; sleep 0.1; fi
listed -printf '%y %04m %U:%G %s %T@ %l\\t%p\\0'
printf '\\0'
# A file that is moved away meanwhile has no hash; that it is gone is seen.
listed $NEWER -type f -size -64M -print0 | xargs -0r sha256sum -z 2>/dev/null || [ $? = 123 ]
";

/// Every file of a VM: path, and all that can be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk(BTreeMap<String, File>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    facts: String,
    hash: String,
}

impl Disk {
    /// Look at it and read all of it.
    ///
    /// # Panics
    /// If the VM cannot be looked at.
    pub fn of(vm: &Vm<'_>) -> Self {
        Self::looked_at(vm, "NEWER=")
    }

    /// Look at it again. What has not been touched since this picture is not read.
    ///
    /// # Panics
    /// If the VM cannot be looked at.
    pub fn later(&self, vm: &Vm<'_>) -> Self {
        let mut later = Self::looked_at(vm, "NEWER=yes");
        for (path, file) in later.0.iter_mut().filter(|(_, file)| file.hash.is_empty()) {
            if let Some(known) = self.0.get(path) {
                file.hash.clone_from(&known.hash);
            }
        }
        later
    }

    fn looked_at(vm: &Vm<'_>, which: &str) -> Self {
        let listed = vm.sh(&format!("{which}{SCRIPT}")).ok().stdout;
        let (files, hashes) = listed.split_once("\0\0").expect("two lists");
        let mut all: BTreeMap<String, File> = files
            .split('\0')
            .filter_map(|record| record.split_once('\t'))
            .map(|(facts, path)| {
                let file = File { facts: without_size(facts), hash: String::new() };
                (path.to_owned(), file)
            })
            .collect();
        for record in hashes.split('\0') {
            let Some((hash, path)) = record.split_once("  ") else { continue };
            if let Some(file) = all.get_mut(path) {
                hash.clone_into(&mut file.hash);
            }
        }
        all.retain(|path, _| !LIVES.iter().any(|(lives, _)| path.starts_with(lives)));
        assert!(all.len() > 1000, "that is no disk: {} files", all.len());
        Self(all)
    }

    /// The paths that are different in `later`, each with what it was and what it is.
    pub fn changes(&self, later: &Self) -> BTreeMap<String, String> {
        let said = |file: Option<&File>| match file {
            Some(File { facts, hash }) => format!("{facts} {hash}").trim_end().to_owned(),
            None => "nothing".to_owned(),
        };
        self.0
            .keys()
            .chain(later.0.keys())
            .map(|path| (path, self.0.get(path), later.0.get(path)))
            .filter(|(_, was, is)| was != is)
            .map(|(path, was, is)| {
                (path.clone(), format!("{} -> {}", said(was), said(is)))
            })
            .collect()
    }
}

/// How large a directory is says nothing, and when it was last changed only that
/// something below it was.
fn without_size(facts: &str) -> String {
    if facts.starts_with('d') {
        return facts.split(' ').take(3).collect::<Vec<_>>().join(" ");
    }
    facts.to_owned()
}
