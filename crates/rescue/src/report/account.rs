//! Blocks of the report -> the account that logs in.

use doctor::case::Account;

use crate::report::Report;

/// Reads the account's blocks.
pub(crate) fn account(report: &Report<'_>, user: &str) -> Account {
    let mut account = Account { user: user.to_owned(), ..Account::default() };
    account.nologin = report.all("nologin").next().map(|block| block.text.to_owned());
    account.today = report
        .lines("now")
        .next()
        .and_then(|now| now.parse::<i64>().ok())
        .map(|seconds| seconds.div_euclid(86_400));
    // `name:x:uid:gid:gecos:home:shell`
    let entry: Vec<&str> =
        report.lines("passwd").next().unwrap_or_default().split(':').collect();
    let [_, _, uid, gid, _, home, shell] = entry.as_slice() else { return account };
    account.exists = true;
    account.uid = uid.parse().ok();
    account.gid = gid.parse().ok();
    account.home = Some((*home).to_owned());
    account.shell = Some((*shell).to_owned());
    let mut groups = report.lines("groups");
    let words = |line: Option<&str>| -> Vec<String> {
        line.unwrap_or_default().split(' ').map(str::to_owned).collect()
    };
    account.gids =
        words(groups.next()).iter().filter_map(|gid| gid.parse().ok()).collect();
    account.groups = words(groups.next());
    account.groups.retain(|group| !group.is_empty());
    shadow(report, &mut account);
    account.key_path = report.paths(report.lines("account.paths"));
    account.authorized_keys = report
        .all("keys")
        .map(|block| {
            let lines = block.text.lines().map(str::to_owned).collect();
            (block.argument.to_owned(), lines)
        })
        .collect();
    let shell = report.all("shell").next().map(|block| block.argument);
    account.shell_file = report.paths(shell.into_iter()).pop();
    account
}

/// `kind:changed:max:inactive:expires`, made in the guest so that no hash leaves it.
fn shadow(report: &Report<'_>, account: &mut Account) {
    let Some(line) = report.lines("shadow").next() else {
        account.password = "missing".to_owned();
        return;
    };
    let mut fields = line.split(':');
    account.password = fields.next().unwrap_or_default().to_owned();
    let mut days = || fields.next().and_then(|days| days.parse().ok());
    account.password_changed_day = days();
    account.password_max_days = days();
    account.password_inactive_days = days();
    account.expires_day = days();
}
