//! A verdict for people: the way in hop by hop, what is wrong and what shows
//! it, what to do, and what was ruled out or could not be checked.

use std::fmt::Write;

use arm::ResourceId;
use doctor::case::Target;
use doctor::{Action, Finding, Hop, HopState, Lang, Step, Verdict};
use unicode_width::UnicodeWidthStr;

use super::paragraph::{indented, shortened};
use super::style::{Mark, Style};

/// The whole verdict. `options` are those that the operator gave besides the target.
pub(crate) fn render(verdict: &Verdict, options: &str, style: Style) -> String {
    let mut out = told(verdict, true, style);
    if !verdict.reachable {
        remainder(&mut out, verdict, options, style);
    }
    out
}

/// The way in and what is wrong, without what was ruled out and without the repairs:
/// whoever carries them out tells of each as it begins.
pub(crate) fn findings(verdict: &Verdict, style: Style) -> String {
    told(verdict, false, style)
}

fn told(verdict: &Verdict, repairs: bool, style: Style) -> String {
    let lang = verdict.lang;
    let mut out = format!("{}\n\n", style.bold(&headline(&verdict.target)));
    out.push_str(&picture(&verdict.path, lang, style));
    out.push('\n');
    if verdict.reachable {
        let text = lang.pick("The login works.", "ログインできます。");
        let _ = writeln!(out, "{} {text}", style.mark(Mark::Good));
    }
    for (at, cause) in verdict.causes.iter().enumerate() {
        let heading = match at {
            0 => lang.pick("Root cause", "根本原因"),
            _ => lang.pick("Also wrong, would stop you next", "次に妨げになるもの"),
        };
        finding(&mut out, heading, cause, lang, style);
        if repairs {
            offer(&mut out, &cause.repairs, lang, style);
        }
        out.push('\n');
    }
    if !verdict.reachable && verdict.causes.is_empty() {
        let text = match verdict.symptom {
            Some(_) => lang.pick(
                "The login does not work, and no cause could be proved.",
                "ログインできませんが、原因を特定できませんでした。",
            ),
            // Not tried is not failed.
            None => lang.pick(
                "The login could not be tried, and nothing that is wrong was found.",
                "ログインを試せませんでした。異常は見つかりませんでした。",
            ),
        };
        let _ = writeln!(out, "{} {text}\n", style.mark(Mark::Bad));
    }
    out
}

/// `azureuser@127.64.0.4 (lab/vm1)`
pub(super) fn headline(target: &Target) -> String {
    let port =
        if target.port == 22 { String::new() } else { format!(":{}", target.port) };
    let vm = vm_of(target)
        .and_then(|id| Some(format!(" ({}/{})", id.group()?, id.name())))
        .unwrap_or_default();
    format!("{}@{}{port}{vm}", target.user, target.host)
}

fn vm_of(target: &Target) -> Option<ResourceId> {
    ResourceId::parse(target.resource_id.as_deref()?).ok()
}

/// One line per hop.
fn picture(path: &[Hop], lang: Lang, style: Style) -> String {
    let names: Vec<&str> = path.iter().map(|hop| hop_name(hop.hop, lang)).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let mut out = String::new();
    for (hop, name) in path.iter().zip(names) {
        let mark = style.mark(match hop.state {
            HopState::Ok => Mark::Good,
            HopState::Failed => Mark::Bad,
            HopState::Unknown => Mark::Unknown,
            HopState::Skipped => Mark::Skipped,
        });
        let pad = " ".repeat(width - name.width());
        let evidence = match hop.state {
            HopState::Failed => style.bold(&hop.evidence),
            HopState::Ok => hop.evidence.clone(),
            // Why it is not known is told at length below.
            HopState::Unknown | HopState::Skipped => style.dim(&shortened(&hop.evidence)),
        };
        out.push_str(format!("  {mark} {name}{pad}  {evidence}").trim_end());
        out.push('\n');
    }
    out
}

fn hop_name(hop: &'static str, lang: Lang) -> &'static str {
    if lang == Lang::En {
        return hop;
    }
    match hop {
        "client" => "手元",
        "name" => "名前解決",
        "network" => "クラウドのネットワーク",
        "platform" => "プラットフォーム",
        "firewall" => "ゲストのファイアウォール",
        "tcp" => "TCP 接続",
        "key-exchange" => "鍵交換",
        "authentication" => "認証",
        "session" => "セッション",
        other => other,
    }
}

fn finding(out: &mut String, heading: &str, cause: &Finding, lang: Lang, style: Style) {
    let _ = writeln!(
        out,
        "{} {}",
        style.bold(&format!("{heading}:")),
        style.bold(&cause.title)
    );
    let sure = match cause.confidence {
        doctor::fault::Confidence::Certain => lang.pick("certain", "確実"),
        doctor::fault::Confidence::Likely => lang.pick("likely", "ほぼ確実"),
        doctor::fault::Confidence::Possible => lang.pick("possible", "可能性あり"),
    };
    let _ = writeln!(out, "  {}", style.dim(&format!("{} ({sure})", cause.fault)));
    for line in &cause.evidence {
        let _ = writeln!(out, "  {} {line}", style.bullet());
    }
    for doubt in &cause.doubts {
        let _ = writeln!(out, "{}", indented(&format!("? {doubt}")));
    }
    if !cause.explanation.is_empty() {
        let _ = writeln!(out, "\n{}", indented(&cause.explanation));
    }
}

/// The steps against a cause.
fn offer(out: &mut String, repairs: &[Step], lang: Lang, style: Style) {
    if repairs.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {}", style.bold(lang.pick("Repair", "修復")));
    for repair in repairs {
        out.push_str(&step(repair, style));
    }
}

/// `→ [edit] Comment out the bad lines`, what it would take away, and for the operator
/// the line to type.
pub(crate) fn step(step: &Step, style: Style) -> String {
    let mut out = format!("  {} [{}] {}\n", style.arrow(), step.risk, step.title);
    if let Action::Client { command } = &step.action {
        let _ = writeln!(out, "      {}", style.bold(command));
    }
    for loss in &step.losses {
        let _ = writeln!(out, "      ! {loss}");
    }
    out
}

fn remainder(out: &mut String, verdict: &Verdict, options: &str, style: Style) {
    let lang = verdict.lang;
    let count = verdict.ruled_out.len();
    let _ = match lang {
        Lang::En => writeln!(out, "Ruled out: {count} faults."),
        Lang::Ja => writeln!(out, "除外した障害: {count} 件"),
    };
    if !verdict.not_checked.is_empty() {
        let _ = writeln!(out, "{}", lang.pick("Not checked:", "確認できなかったもの:"));
        // One reason, such as a silent agent, usually hides several sections.
        let mut told: Vec<&str> = Vec::new();
        for open in &verdict.not_checked {
            if told.contains(&open.why.as_str()) {
                continue;
            }
            told.push(&open.why);
            let alike = verdict.not_checked.iter().filter(|other| other.why == open.why);
            let sections: Vec<&str> = alike.map(|other| other.section.as_str()).collect();
            let text = indented(&format!("? {}: {}", sections.join(", "), open.why));
            let _ = writeln!(out, "{text}");
        }
    }
    if verdict.causes.is_empty() && verdict.remedies.is_empty() {
        let text = lang.pick(
            "No reset or restart is offered: nothing that was seen speaks for one.",
            "確認できた範囲に根拠がないため、リセットや再起動は提案しません。",
        );
        let _ = writeln!(out, "{text}");
    }
    if !verdict.causes.is_empty() {
        let target = command_target(&verdict.target);
        let text = lang.pick("Repair it with", "修復するには");
        let command = format!("regain repair {target}{options}");
        let _ = writeln!(out, "\n{text}: {}", style.bold(&command));
    }
}

/// The arguments that name this target again.
pub(super) fn command_target(target: &Target) -> String {
    match vm_of(target) {
        Some(id) => format!("-g {} -n {}", id.group().unwrap_or_default(), id.name()),
        None if target.port == 22 => format!("{}@{}", target.user, target.host),
        None => format!("{}@{}:{}", target.user, target.host, target.port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doctor::fault::{Confidence, Layer};
    use doctor::{Channel, NotChecked, Risk, RuledOut};

    fn target() -> Target {
        Target {
            user: "azureuser".into(),
            host: "127.64.0.4".into(),
            port: 22,
            resource_id: Some(
                "/subscriptions/s/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/vm1"
                    .into(),
            ),
            identity: None,
        }
    }

    fn verdict(lang: Lang) -> Verdict {
        let hop =
            |hop, state, evidence: &str| Hop { hop, state, evidence: evidence.into() };
        Verdict {
            version: 1,
            target: target(),
            reachable: false,
            symptom: None,
            path: vec![
                hop("client", HopState::Failed, "mode 0644"),
                hop("name", HopState::Ok, "127.64.0.4"),
                hop("authentication", HopState::Skipped, ""),
            ],
            causes: vec![Finding {
                fault: "client.key-perms".into(),
                layer: Layer::Client,
                confidence: Confidence::Likely,
                title: "The private key is readable by others".into(),
                explanation: "ssh ignores such a key.".into(),
                doubts: vec!["ssh offered another key".into()],
                evidence: vec!["/k: mode 0644".into()],
                repairs: vec![Step {
                    fault: "client.key-perms".into(),
                    id: "chmod".into(),
                    title: "Make it private".into(),
                    risk: Risk::None,
                    channel: Channel::Client,
                    action: Action::Client { command: "chmod 600 /k".into() },
                    losses: vec!["what depends on it".into()],
                }],
            }],
            ruled_out: vec![RuledOut {
                fault: "net.nsg-deny".into(),
                layer: Layer::Network,
                title: String::new(),
            }],
            not_checked: vec![NotChecked {
                section: "guest".into(),
                why: "the agent does not answer".into(),
                faults: vec![],
            }],
            remedies: vec![],
            lang,
        }
    }

    #[test]
    fn a_verdict_reads_from_the_way_in_to_what_to_type() {
        assert_eq!(
            render(&verdict(Lang::En), "", Style::plain(false)),
            "azureuser@127.64.0.4 (lab/vm1)\n\
             \n\
             \x20 x client          mode 0644\n\
             \x20 + name            127.64.0.4\n\
             \x20 - authentication\n\
             \n\
             Root cause: The private key is readable by others\n\
             \x20 client.key-perms (likely)\n\
             \x20 * /k: mode 0644\n\
             \x20 ? ssh offered another key\n\
             \n\
             \x20 ssh ignores such a key.\n\
             \n\
             \x20 Repair\n\
             \x20 -> [none] Make it private\n\
             \x20     chmod 600 /k\n\
             \x20     ! what depends on it\n\
             \n\
             Ruled out: 1 faults.\n\
             Not checked:\n\
             \x20 ? guest: the agent does not answer\n\
             \n\
             Repair it with: regain repair -g lab -n vm1\n"
        );
    }

    #[test]
    fn japanese_hops_line_up() {
        let text = render(&verdict(Lang::Ja), "", Style::plain(true));
        assert!(
            text.contains(
                "  ✗ 手元      mode 0644\n  ✓ 名前解決  127.64.0.4\n  · 認証\n"
            ),
            "{text}"
        );
        assert!(text.contains("根本原因:"));
    }

    #[test]
    fn a_login_that_works_says_so_and_nothing_more() {
        let mut verdict = verdict(Lang::En);
        verdict.reachable = true;
        verdict.causes.clear();
        let text = render(&verdict, "", Style::plain(true));
        assert!(text.ends_with("\n✓ The login works.\n"), "{text}");
    }
}
