//! A repair for people, told while it goes on: each step, what it said, whether
//! the login works after it, and in the end what is left to do.

use std::fmt::Write;

use doctor::{Lang, Verdict};
use rescue::{Attempt, AttemptResult, Outcome, Status};

use super::style::{Mark, Style};
use super::verdict;

/// How a step ended.
pub(crate) fn attempt(attempt: &Attempt, lang: Lang, style: Style) -> String {
    let (mark, text) = match &attempt.result {
        AttemptResult::Solved => {
            (Mark::Good, lang.pick("the login works", "ログインできました").to_owned())
        }
        AttemptResult::Kept => (
            Mark::Good,
            lang.pick(
                "this cause is gone; no login has shown it yet",
                "この原因は解消しました。ログインはまだ確認できていません",
            )
            .to_owned(),
        ),
        AttemptResult::Undone => (
            Mark::Bad,
            lang.pick(
                "it did not help and was taken back",
                "効果がなかったため元に戻しました",
            )
            .to_owned(),
        ),
        AttemptResult::Failed(why) => {
            (Mark::Bad, format!("{}: {why}", lang.pick("it failed", "失敗しました")))
        }
    };
    let mut out = format!("    {} {text}", style.mark(mark));
    for left in &attempt.remains {
        let heading = lang.pick("not taken back", "元に戻せなかったもの");
        let _ = write!(out, "\n    ? {heading}: {left}");
    }
    out
}

/// Why no login could be tried.
fn untried(verdict: &Verdict) -> &str {
    let name = verdict.path.iter().find(|hop| hop.hop == "name");
    name.map_or("", |hop| hop.evidence.as_str())
}

/// What is left to do after a repair. `options` are those that the operator gave
/// besides the target.
pub(crate) fn end(outcome: &Outcome, options: &str, lang: Lang, style: Style) -> String {
    let mut out = String::new();
    let target = &outcome.verdict.target;
    let _ = match outcome.status {
        Status::Healthy => writeln!(
            out,
            "{} {}",
            style.mark(Mark::Good),
            lang.pick(
                "The login works; nothing to repair.",
                "ログインできます。修復は不要です。"
            )
        ),
        Status::Repaired => writeln!(
            out,
            "\n{} {} {}",
            style.mark(Mark::Good),
            verdict::headline(target),
            lang.pick("is regained.", "に再びログインできます。")
        ),
        Status::Untried => writeln!(
            out,
            "\n{} {} {}",
            style.mark(Mark::Good),
            verdict::headline(target),
            lang.pick(
                "is repaired, as the VM itself shows; the login could not be tried from here:",
                "は修復済みです (VM 側で確認)。ここからはログインを試せませんでした:",
            )
        )
        .and_then(|()| writeln!(out, "  {}", untried(&outcome.verdict))),
        Status::Planned
        | Status::Operators
        | Status::NotAllowed
        | Status::NeedsConsent
        | Status::Blind => Ok(()),
        Status::Exhausted => writeln!(
            out,
            "\n{} {}",
            style.mark(Mark::Bad),
            lang.pick(
                "No step that there is brings the login back.",
                "試せる手順では復旧できませんでした。"
            )
        ),
    };
    if let Some(next) = &outcome.next {
        let heading = match outcome.status {
            Status::Operators => {
                lang.pick("Type this, then try again:", "次を実行してください:")
            }
            Status::NotAllowed => lang.pick(
                "The next step is riskier than --allow permits:",
                "次の手順は --allow の範囲を超えます:",
            ),
            Status::NeedsConsent => lang.pick(
                "The next step has a price, and nobody has agreed to it:",
                "次の手順には影響があり、同意が必要です:",
            ),
            Status::Blind => lang.pick(
                "What could be the cause was not all seen, so this is not done without a reason:",
                "原因の可能性をすべて確認できていないため、次の手順は自動では実行しません:",
            ),
            _ => lang.pick("The next step is:", "次の手順:"),
        };
        let _ = write!(out, "\n{heading}\n{}", verdict::step(next, style));
        for line in &outcome.diff {
            let _ = writeln!(out, "    {line}");
        }
        let agreed = match outcome.status {
            Status::NeedsConsent => Some("--yes".to_owned()),
            Status::NotAllowed => Some(format!("--allow {}", next.risk)),
            _ => None,
        };
        if let Some(agreed) = agreed {
            let target = verdict::command_target(target);
            let command = format!("regain repair {target}{options} {agreed}");
            let _ = writeln!(out, "      {}", style.bold(&command));
        }
    }
    for line in &outcome.to_type {
        let heading = lang.pick("Also type", "あわせて実行");
        let _ = writeln!(out, "{heading}: {}", style.bold(line));
    }
    if let Some(id) = &outcome.undo_id {
        let heading = lang.pick("Take it back with", "元に戻すには");
        let _ = writeln!(out, "{heading}: {}", style.bold(&format!("regain undo {id}")));
    }
    out
}
