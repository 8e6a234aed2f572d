//! The platform's general remedies: a reset, a restart, another host.
//!
//! They are in the order of Microsoft's "Troubleshoot SSH connections to an Azure
//! Linux VM". Which of them could end a state, `faults/states.toml` says. They are
//! offered where evidence speaks for one: a root cause that was named, or a symptom
//! that nothing explains although all who could know were asked. Missing evidence is
//! no reason to restart a machine.
//!
//! A reset takes away whatever the owner configured. What that is, the case tells,
//! and the step tells it to the operator before anything is done.

use cel::Context;

use crate::catalogue::Catalogue;
use crate::fault::{Expression, State, Truth};
use crate::judge::{Question, Ranking};
use crate::lang::Lang;
use crate::step::{Action, Channel, LAST_RESORT, PlatformAction, Step};

/// The remedies in the order in which they are tried.
const REMEDIES: [(PlatformAction, &str, &str); 4] = [
    (
        PlatformAction::ResetSsh,
        "Reset the SSH server's configuration to a stock one",
        "SSH サーバーの構成を既定の内容にリセットする",
    ),
    (
        PlatformAction::ResetCredentials,
        "Set the user's SSH key through the platform",
        "プラットフォーム経由でユーザーの SSH キーを設定する",
    ),
    (PlatformAction::RestartVm, "Restart the VM", "VM を再起動する"),
    (
        PlatformAction::RedeployVm,
        "Redeploy the VM to another host (temporary disk and dynamic address are lost)",
        "VM を別のホストに再デプロイする (一時ディスクと動的アドレスは失われる)",
    ),
];

/// The remedies that could help in this case.
pub(crate) fn remedies(
    question: &Question,
    ranking: &Ranking,
    catalogue: &Catalogue,
) -> Vec<Step> {
    let Some(observed) = question.observed() else { return Vec::new() };
    if question.case.target.resource_id.is_none() {
        return Vec::new();
    }
    let lang = question.lang;
    let states: Vec<&State> = match ranking.causes.first() {
        Some(root) => vec![root.state],
        None if ranking.open => Vec::new(),
        None => catalogue
            .states()
            .into_iter()
            .filter(|state| state.shows.iter().any(|shown| shown.symptom == observed))
            .collect(),
    };
    // Who logs in by certificate is not given a standing key instead.
    let keys = ask(question.context, "client.identity.certificate") == Truth::No;
    let helps = |action| {
        states.iter().any(|state| state.remedies.contains(&action))
            && (action != PlatformAction::ResetCredentials || keys)
    };
    REMEDIES
        .into_iter()
        .filter(|(action, ..)| helps(*action))
        .map(|(platform, en, ja)| {
            let action = Action::Platform { action: platform };
            Step {
                fault: LAST_RESORT.to_owned(),
                id: platform.as_str().to_owned(),
                title: lang.pick(en, ja).to_owned(),
                risk: platform.least_risk(),
                channel: Channel::Platform,
                losses: losses(&action, question),
                action,
            }
        })
        .collect()
}

/// What a step would take away or turn on besides.
pub(crate) fn losses(action: &Action, question: &Question) -> Vec<String> {
    let (context, lang) = (question.context, question.lang);
    match action {
        Action::Platform { action: PlatformAction::ResetSsh } => of_reset(context, lang),
        Action::Platform { action: PlatformAction::ResetCredentials } => {
            of_credentials(context, &question.case.target.user, lang)
        }
        Action::Platform { .. } | Action::Guest { .. } | Action::Client { .. } => {
            Vec::new()
        }
    }
}

/// A stock configuration has none of the owner's settings.
fn of_reset(context: &Context<'_, '_>, lang: Lang) -> Vec<String> {
    if ask(context, "size(sshd.effective) > 0") != Truth::Yes {
        return vec![
            lang.pick(
                "the SSH server's settings are not known, so neither is what a reset takes away or turns on",
                "SSH サーバーの設定が不明なため、リセットで何が失われ、何が有効になるか分からない",
            )
            .to_owned(),
        ];
    }
    let on = TURNED_ON.iter().filter_map(|(name, en, ja)| {
        let keyword = name.to_ascii_lowercase();
        match ask(context, &format!("sshd.effective.{keyword} == ['no']")) {
            Truth::Yes => Some(lang.pick(
                format!("turns {en} on ({name} is no now)"),
                format!("{ja}が有効になる (現在 {name} は no)"),
            )),
            Truth::No => None,
            Truth::Undetermined(_) => Some(lang.pick(
                format!("may turn {en} on (what {name} is now is not known)"),
                format!("{ja}が有効になりうる (現在の {name} は不明)"),
            )),
        }
    });
    let away = TAKEN_AWAY.iter().filter_map(|(name, nothing)| {
        let fact = format!("sshd.effective.{}", name.to_ascii_lowercase());
        let set = format!("has({fact}) && {fact} != [] && {fact} != ['{nothing}']");
        match ask(context, &set) {
            Truth::Yes => {
                let value = expression(&fact).lines(context).join(" ");
                Some(lang.pick(
                    format!("takes away {name} {value}"),
                    format!("{name} {value} が失われる"),
                ))
            }
            Truth::No => None,
            Truth::Undetermined(_) => Some(lang.pick(
                format!("takes away {name} if there is any, which is not known"),
                format!("{name} の有無は不明で、あれば失われる"),
            )),
        }
    });
    let mut losses: Vec<String> = on.chain(away).collect();
    losses.extend(of_blocks_and_ports(context, lang));
    losses
}

fn of_blocks_and_ports(context: &Context<'_, '_>, lang: Lang) -> Vec<String> {
    let blocks =
        expression("has(sshd.settings.match) ? sshd.settings.match.map(l, l.text) : []");
    let mut losses: Vec<String> = blocks
        .lines(context)
        .into_iter()
        .map(|text| {
            lang.pick(
                format!("takes away the block `{text}`"),
                format!("ブロック `{text}` が失われる"),
            )
        })
        .collect();
    let ports = expression("sshd.ports.filter(p, p != 22).map(p, string(p)).join(', ')");
    if let Some(ports) = ports.text(context).filter(|ports| !ports.is_empty()) {
        losses.push(lang.pick(
            format!("the SSH server no longer listens on port {ports}"),
            format!("SSH サーバーはポート {ports} で待ち受けなくなる"),
        ));
    }
    losses
}

/// Keyword, and what a stock configuration turns on.
const TURNED_ON: [(&str, &str, &str); 2] = [
    ("PasswordAuthentication", "password login", "パスワードログイン"),
    ("PermitRootLogin", "root's login", "root のログイン"),
];

/// Keyword, and the value that means nothing.
const TAKEN_AWAY: [(&str, &str); 9] = [
    ("AllowUsers", ""),
    ("AllowGroups", ""),
    ("DenyUsers", ""),
    ("DenyGroups", ""),
    ("AuthenticationMethods", "any"),
    ("AuthorizedKeysCommand", "none"),
    ("AuthorizedPrincipalsFile", "none"),
    ("TrustedUserCAKeys", "none"),
    ("RevokedKeys", "none"),
];

fn ask(context: &Context<'_, '_>, question: &str) -> Truth {
    expression(question).truth(context)
}

fn expression(source: &str) -> Expression {
    Expression::compile(source).expect("the questions of this module are CEL")
}

/// The platform makes an administrator of a name that it does not find.
fn of_credentials(context: &Context<'_, '_>, user: &str, lang: Lang) -> Vec<String> {
    let text = match ask(context, "account.exists") {
        Truth::Yes => return Vec::new(),
        Truth::No => lang.pick(
            format!("makes an administrator `{user}`, who does not exist now"),
            format!("現在存在しない管理者 `{user}` を作成する"),
        ),
        Truth::Undetermined(_) => lang.pick(
            format!("makes an administrator `{user}` if there is no such account"),
            format!("アカウント `{user}` がなければ、管理者として作成する"),
        ),
    };
    vec![text]
}
