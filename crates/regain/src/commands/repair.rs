//! `repair`

use doctor::{Risk, Step};
use rescue::{Consent, Outcome, Policy, Request, Status};

use super::target;
use crate::args::rescue::Repair;
use crate::context::Context;
use crate::failure::Failure;
use crate::knowledge;
use crate::output::{Answer, Progress, repair, verdict};

pub(super) async fn run(args: Repair, context: &Context) -> Result<Answer, Failure> {
    let catalogue = knowledge::catalogue(&args.target.faults)?;
    let request = target::request(&args.target, context).await?;
    let mut policy = Policy {
        allow: if args.yes { Risk::Offline } else { args.allow },
        consent: if args.yes { Consent::All } else { Consent::None },
        dry_run: args.dry_run,
        lang: context.lang(),
    };
    let options = args.target.options();
    let mut undo = Vec::new();
    loop {
        let outcome = carry_out(&request, &catalogue, &policy, context).await;
        undo.extend(outcome.undo_id.clone());
        let Some(next) = &outcome.next else {
            return answer(&outcome, &undo, &options, context);
        };
        match outcome.status {
            Status::NotAllowed if ask(&riskier(next, context), context) => {
                policy.allow = next.risk;
            }
            Status::NeedsConsent if ask(&loses(next, context), context) => {
                policy.consent = policy.consent.with(next);
            }
            _ => return answer(&outcome, &undo, &options, context),
        }
    }
}

/// Whether the operator, if there is one, says yes.
fn ask(question: &str, context: &Context) -> bool {
    context.printer.ask(question) == Some(true)
}

fn riskier(next: &Step, context: &Context) -> String {
    let (risk, title) = (next.risk, &next.title);
    context.lang().pick(
        format!("The next step is of class `{risk}`: {title}. Take it?"),
        format!("次の手順のリスクは `{risk}` です: {title}。実行しますか?"),
    )
}

fn loses(next: &Step, context: &Context) -> String {
    let (title, losses) = (&next.title, next.losses.join("; "));
    context.lang().pick(
        format!("The next step ({title}) has a price: {losses}. Take it?"),
        format!("次の手順 ({title}) には影響があります: {losses}。実行しますか?"),
    )
}

async fn carry_out(
    request: &Request,
    catalogue: &doctor::Catalogue,
    policy: &Policy,
    context: &Context,
) -> Outcome {
    let (printer, lang, style) =
        (&context.printer, context.lang(), context.printer.style());
    let progress = Progress::start_quiet();
    let said = |text: &str| {
        if printer.is_text() {
            progress.hidden(|| printer.say(text));
        }
    };
    let first = std::sync::atomic::AtomicBool::new(true);
    rescue::repair(request, catalogue, policy, &|event| match event {
        rescue::Progress::Collecting(event) => progress.section(&event),
        rescue::Progress::Diagnosed(found) => {
            // Later diagnoses are part of the steps that they follow.
            if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
                said(verdict::findings(found, style).trim_end());
            }
        }
        rescue::Progress::Applying(step) => {
            said(verdict::step(step, style).trim_end());
            progress.step(&step.title);
        }
        rescue::Progress::Said(line) => said(&format!("    {line}")),
        rescue::Progress::LoggingIn => {
            progress.step(lang.pick("logging in", "ログインを確認しています"));
        }
        rescue::Progress::Ended(attempt) => said(&repair::attempt(attempt, lang, style)),
    })
    .await
}

fn answer(
    outcome: &Outcome,
    undo: &[String],
    options: &str,
    context: &Context,
) -> Result<Answer, Failure> {
    let mut document = serde_json::to_value(outcome)
        .map_err(|error| Failure::new("the outcome cannot be written").because(error))?;
    // Several runs, one after each question, leave several journals.
    if undo.len() > 1 {
        document["undoIds"] = undo.into();
    }
    let exit = match outcome.status {
        Status::Healthy | Status::Repaired | Status::Untried | Status::Planned => 0,
        Status::Operators | Status::NotAllowed | Status::NeedsConsent | Status::Blind => {
            1
        }
        Status::Exhausted => outcome.verdict.exit_code(),
    };
    let text = repair::end(outcome, options, context.lang(), context.printer.style());
    Ok(Answer::new(document).with_text(text).with_exit(exit))
}
