//! The files in which sshd looks for the user's keys, and the way to them.

use super::authorized_keys::{self, Content, KeysFacts};
use super::client::ClientFacts;
use super::expiry;
use super::firewall;
use super::key_options::Visitor;
use super::key_path::{self, PathProblem, Strictness};
use super::known::Known;
use super::settings::Resolved;
use crate::case::{Account, Case, KeyFile, Keys, PathFact, PathKind};

/// sshd's own patterns where nothing sets `AuthorizedKeysFile` (sshd_config(5)).
const USUAL: &str = ".ssh/authorized_keys .ssh/authorized_keys2";

/// Systems whose sshd does not let the user's own group write.
const STRICT_ABOUT_GROUPS: [&str; 9] = [
    "Red Hat", "CentOS", "Rocky", "Alma", "Fedora", "Oracle", "SUSE", "openSUSE",
    "Amazon",
];

/// `AuthorizedKeysFile` with its tokens filled in (sshd_config(5), TOKENS).
pub(super) fn configured(account: &Account, resolved: &Resolved) -> Known<Vec<String>> {
    resolved.list("authorizedkeysfile").map(|values| {
        let said = values.join(" ");
        let patterns = if said.is_empty() { USUAL } else { said.as_str() };
        let home = account.home.as_deref().unwrap_or_default().trim_end_matches('/');
        let uid = account.uid.map(|uid| uid.to_string()).unwrap_or_default();
        let fill = |pattern: &str| {
            let path = pattern
                .replace("%%", "\0")
                .replace("%h", home)
                .replace("%u", &account.user)
                .replace("%U", &uid)
                .replace('\0', "%");
            if path.starts_with('/') { path } else { format!("{home}/{path}") }
        };
        patterns.split_whitespace().filter(|word| *word != "none").map(fill).collect()
    })
}

/// Whether this system's sshd may let the user's own group write.
fn lenient(case: &Case) -> Known<bool> {
    let strict = |os: &str| STRICT_ABOUT_GROUPS.iter().any(|name| os.contains(name));
    case.system.known().and_then(|system| {
        Known::or(system.os.as_deref(), "the guest has no os-release")
            .map(|os| !strict(os))
    })
}

/// An account, and what was seen on the way to its keys.
pub(super) struct KeyPlace<'a> {
    pub(super) account: &'a Account,
    pub(super) keys: &'a Keys,
}

impl KeyPlace<'_> {
    fn home(&self) -> &str {
        self.account.home.as_deref().unwrap_or_default().trim_end_matches('/')
    }

    /// A path behind its links.
    fn real<'a>(&'a self, path: &'a str) -> &'a str {
        self.keys.resolved.get(path).map_or(path, String::as_str)
    }

    fn fact(&self, path: &str) -> Option<&PathFact> {
        let real = self.real(path);
        self.keys.paths.iter().find(|fact| fact.path == real)
    }

    pub(super) fn home_missing(&self) -> Known<bool> {
        match self.fact(self.home()).map(|fact| fact.kind) {
            None => Known::unknown("nobody looked at the home directory"),
            Some(PathKind::Symlink) => {
                Known::unknown("the home is a link that leads nowhere certain")
            }
            Some(kind) => Known::Is(kind == PathKind::Missing),
        }
    }

    /// What the files hold.
    pub(super) fn keys(
        &self,
        files: &[String],
        case: &Case,
        client: Option<&ClientFacts>,
        today: &Known<i64>,
    ) -> Known<KeysFacts> {
        let ours: Vec<&str> = client
            .into_iter()
            .flat_map(|client| &client.identities)
            .filter(|key| key.named || case.target.identity.is_none())
            .filter_map(|key| key.fingerprint.as_deref())
            .collect();
        let today = today.known().map(|day| expiry::date(*day).replace('-', ""));
        let visitor =
            Visitor { address: firewall::visitor(case), today: today.as_deref() };
        let mut contents = Vec::new();
        for file in files {
            match self.content(file) {
                Known::Is(content) => contents.push(content),
                Known::Unknown(why) => return Known::Unknown(why),
            }
        }
        Known::Is(authorized_keys::derive(&contents, &ours, visitor))
    }

    fn content<'a>(&'a self, file: &'a str) -> Known<Content<'a>> {
        match (self.fact(file).map(|fact| fact.kind), self.keys.files.get(file)) {
            (_, Some(KeyFile::Read(lines))) => Known::Is(Content::Lines(file, lines)),
            (Some(PathKind::Missing), _) => Known::Is(Content::Missing),
            (Some(kind), _) if !matches!(kind, PathKind::File | PathKind::Symlink) => {
                Known::Is(Content::NotAFile)
            }
            (_, Some(KeyFile::Unread(why))) => Known::Unknown(format!("{file}: {why}")),
            (_, None) => Known::Unknown(format!("{file} was not read")),
        }
    }

    /// `~/.ssh/authorized_keys`, if it has lines and is none of the files.
    pub(super) fn elsewhere(&self, files: &[String]) -> Option<String> {
        let usual = format!("{}/.ssh/authorized_keys", self.home());
        let has_lines = match self.keys.files.get(&usual) {
            Some(KeyFile::Read(read)) => !read.lines.is_empty(),
            Some(KeyFile::Unread(_)) | None => false,
        };
        (has_lines && !files.contains(&usual)).then_some(usual)
    }

    /// What is wrong on the way to the files. Open where only `StrictModes` would make
    /// it wrong and nobody knows whether that is on, and where only this system's view
    /// of the user's own group would and that is not known.
    pub(super) fn path_problems(
        &self,
        files: &[String],
        case: &Case,
        resolved: &Resolved,
    ) -> Known<Vec<PathProblem>> {
        let journal = case.journal.known();
        let lines = journal.known().map(|journal| journal.lines.as_slice());
        let of = |modes, lenient| {
            let journal = lines.unwrap_or_default();
            self.problems(files, Strictness { modes, lenient, journal })
        };
        let lenient = lenient(case).and_then(|lenient| match journal.why_not() {
            // Where the group may be let through, the journal says when it was not.
            Some(why) if lenient => Known::unknown(why),
            _ => Known::Is(lenient),
        });
        let under = |modes| match &lenient {
            Known::Is(lenient) => Known::Is(of(modes, *lenient)),
            Known::Unknown(why) => {
                let (either, or) = (of(modes, true), of(modes, false));
                if either == or { Known::Is(either) } else { Known::unknown(why) }
            }
        };
        let (strict, loose) = (under(true), under(false));
        if strict == loose {
            return strict;
        }
        resolved.is_on("strictmodes").and_then(|on| if on { strict } else { loose })
    }

    /// What is wrong on the way to the files that exist; nothing as long as one of
    /// them can be used.
    fn problems(&self, files: &[String], strictness: Strictness) -> Vec<PathProblem> {
        let mut all: Vec<PathProblem> = Vec::new();
        for file in files {
            if self.fact(file).is_none_or(|fact| fact.kind == PathKind::Missing) {
                // Without a readable directory nobody knows whether the file is there,
                // sshd included; what blocks the way is the same for its neighbours.
                continue;
            }
            let way = key_path::Way {
                file: self.real(file),
                home: self.real(self.home()),
                paths: &self.keys.paths,
                account: self.account,
            };
            let problems = way.problems(strictness);
            if problems.is_empty() {
                return Vec::new();
            }
            for problem in problems {
                if !all.contains(&problem) {
                    all.push(problem);
                }
            }
        }
        all
    }
}
