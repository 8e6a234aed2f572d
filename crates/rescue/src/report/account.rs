//! Blocks of the report -> the account that logs in.

use doctor::case::{Account, Shadow};

use crate::report::sshd::name_service;
use crate::report::{Asked, Part, path_fact};

/// The account.
pub(crate) fn account(part: &Part<'_>, asked: &Asked) -> Result<Account, String> {
    let line = part.argument("line").ok_or("the guest did not look into /etc/passwd")?;
    let mut account = Account {
        user: asked.user.clone(),
        name_service: name_service(part.argument("service")),
        line: !line.is_empty(),
        nologin: part.text("nologin").map(str::to_owned),
        shadow: part.lines("shadow").next().and_then(shadow),
        shell_file: part.lines("shell").next().and_then(path_fact),
        ..Account::default()
    };
    let entry: Vec<&str> =
        part.lines("entry").next().unwrap_or_default().splitn(4, ':').collect();
    let [uid, gid, home, shell] = entry.as_slice() else { return Ok(account) };
    account.uid = uid.parse().ok();
    account.gid = gid.parse().ok();
    account.home = Some((*home).to_owned());
    account.shell = Some((*shell).to_owned());
    if account.shell_file.is_none() {
        // stat says nothing about what is not there.
        let path = if shell.is_empty() { "/bin/sh" } else { shell };
        account.shell_file = Some(doctor::case::PathFact {
            path: path.to_owned(),
            ..doctor::case::PathFact::default()
        });
    }
    if let Some(groups) = part.lines("groups").next() {
        (account.gids, account.groups) = groups_of(groups);
    }
    Ok(account)
}

/// `27(sudo),1000(ann)`; a group without a name is only a number.
fn groups_of(text: &str) -> (Option<Vec<u32>>, Option<Vec<String>>) {
    let (mut numbers, mut names) = (Vec::new(), Vec::new());
    for group in text.split(',') {
        let (number, name) = group.split_once('(').unwrap_or((group, ""));
        numbers.extend(number.parse::<u32>());
        names.extend(name.strip_suffix(')').map(str::to_owned));
    }
    let known = !numbers.is_empty();
    (Some(numbers).filter(|_| known), Some(names).filter(|_| known))
}

/// `kind:changed:max:inactive:expires`, made in the guest so that no hash leaves it.
fn shadow(line: &str) -> Option<Shadow> {
    let mut fields = line.split(':');
    let password = fields.next()?.into();
    let mut days = || fields.next().and_then(|days| days.parse().ok());
    Some(Shadow {
        password,
        changed_day: days(),
        max_days: days(),
        inactive_days: days(),
        expires_day: days(),
    })
}

#[cfg(test)]
mod tests {
    use doctor::case::{NameService, PasswordKind, PathKind};

    use super::*;
    use crate::report::tests::read;

    #[test]
    fn an_account_is_read_from_its_blocks() {
        let text = "M service 0\n\nM line found\n\nM entry\n1000:1000:/home/ann:/bin/no\n\
                    \nM groups\n1000(ann),27(sudo),77\n\nM shadow\nlocked:20000:99999::\n\nM shell\n";
        let found = read(text, account).unwrap();
        assert_eq!((found.uid, found.home.as_deref()), (Some(1000), Some("/home/ann")));
        assert_eq!(found.gids.unwrap(), [1000, 27, 77]);
        assert_eq!(found.groups.unwrap(), ["ann", "sudo"]);
        let shadow = found.shadow.unwrap();
        assert_eq!(shadow.password, PasswordKind::Locked);
        assert_eq!((shadow.changed_day, shadow.expires_day), (Some(20_000), None));
        assert_eq!(found.shell_file.unwrap().kind, PathKind::Missing);
    }

    #[test]
    fn no_shadow_line_and_no_groups_are_not_empty_ones() {
        let text =
            "M service 0\n\nM line \n\nM entry\n70:70:/home/l:/bin/sh\n\nM groups\n\n";
        let found = read(text, account).unwrap();
        assert_eq!((found.shadow, found.groups, found.line), (None, None, false));
        assert_eq!(found.name_service, NameService::Found);
    }
}
