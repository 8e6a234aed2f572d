//! `lab gauntlet`

use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{Instant, SystemTime};

use serde_json::json;
use tokio::task::JoinSet;

use crate::args::lab::Gauntlet;
use crate::context::Context;
use crate::failure::Failure;
use crate::knowledge;
use crate::lab::case::{self, Case};
use crate::lab::gauntlet::{Bench, Report, Verdict, sample_of_pairs};
use crate::lab::{LabState, interrupt, weather};
use crate::output::{Answer, Progress, Style};

pub(super) async fn run(args: Gauntlet, context: &Context) -> Result<Answer, Failure> {
    let cases = chosen(&args)?;
    let jobs = args
        .jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    let lab = LabState::of(&context.global);
    let before = weather::of(&lab)?;
    // Who carries out the cases knows the own address, also where the cloud will not say.
    let cloud = super::sign_in(context).await?.client;
    let address = cloud.endpoints().regain.as_ref().and_then(|it| it.client_address);
    weather::ensure(&lab, args.weather.unwrap_or(before))?;
    let result = carry_out(&args, &lab, address, cases, jobs, context).await;
    weather::ensure(&lab, before)?;
    let report = result?;
    let text = summary(&report);
    Ok(Answer::new(json!(report)).with_text(text).with_exit(u8::from(!report.is_clean())))
}

/// Carries out the cases in whatever weather it is, and leaves no VM of theirs.
async fn carry_out(
    args: &Gauntlet,
    lab: &LabState,
    address: Option<IpAddr>,
    cases: Vec<Case>,
    jobs: usize,
    context: &Context,
) -> Result<Report, Failure> {
    let session = super::sign_in(context).await?;
    let bench = Arc::new(Bench::new(lab.clone(), session, args.faults.clone(), address)?);
    bench.clear().await?;
    let result = interrupt::or(all(&bench, cases, jobs, context)).await;
    if result.is_err() {
        bench.clear().await?;
    }
    result
}

fn chosen(args: &Gauntlet) -> Result<Vec<Case>, Failure> {
    let catalogue = knowledge::catalogue(&args.faults)?;
    if let Some(count) = args.pairs {
        return Ok(sample_of_pairs(
            &catalogue,
            count.get(),
            args.seed.unwrap_or_else(today),
        ));
    }
    let mut cases = match &args.cases {
        Some(directory) => case::of_directory(directory, &catalogue)?,
        None => case::of_catalogue(&catalogue),
    };
    let unknown = args.only.iter().find(|id| !cases.iter().any(|case| case.id == **id));
    if let Some(id) = unknown {
        return Err(Failure::not_found(format!("there is no case '{id}'")));
    }
    if !args.only.is_empty() {
        cases.retain(|case| args.only.contains(&case.id));
    }
    Ok(cases)
}

/// Days since 1970-01-01, so that the sample of pairs rotates.
fn today() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs() / 86_400)
}

/// Carries out the cases, `jobs` at a time, and tells of each as it ends.
async fn all(
    bench: &Arc<Bench>,
    cases: Vec<Case>,
    jobs: usize,
    context: &Context,
) -> Result<Report, Failure> {
    let started = Instant::now();
    let mut report = Report::default();
    let (printer, style) = (&context.printer, context.printer.style());
    let (total, progress) = (cases.len(), Progress::start_quiet());
    let mut waiting = cases.into_iter().enumerate();
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < jobs
            && let Some((at, case)) = waiting.next()
        {
            let bench = Arc::clone(bench);
            under_way.spawn(async move {
                let begun = Instant::now();
                let verdict = bench.carry_out(&case, at + 1).await;
                (case, verdict, begun.elapsed())
            });
        }
        progress.step(&format!("{}/{total}", report.cases));
        let Some(ended) = under_way.join_next().await else { break };
        let (case, verdict, took) = ended.map_err(|error| {
            Failure::new("a case of the gauntlet broke").because(error)
        })?;
        let right = report.add(&case, &verdict);
        let line = line(&case, &verdict, right, took.as_secs_f64(), style);
        progress.hidden(|| printer.say(&line));
    }
    report.seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    Ok(report)
}

/// `✓ sshd.config-bad-option  named, repaired  4.2 s`
fn line(
    case: &Case,
    verdict: &Verdict,
    right: bool,
    seconds: f64,
    style: Style,
) -> String {
    let mark = style.verdict_mark(right);
    let named = match &verdict.named {
        Some(named) if case.expect.contains(named) => "named".to_owned(),
        Some(named) => format!("named {named}"),
        None if verdict.reachable.is_none() => "not diagnosed".to_owned(),
        None if case.is_healthy() => "nothing named".to_owned(),
        None => "not named".to_owned(),
    };
    let repaired = match verdict.repaired {
        Some(true) => ", repaired",
        Some(false) => ", not repaired",
        None => "",
    };
    let trouble =
        verdict.trouble.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
    format!("{mark} {:<28} {named}{repaired}{trouble}  {seconds:.1} s", case.id)
}

fn summary(report: &Report) -> String {
    format!(
        "{} cases: {} named, {} wrong, {} undetermined, {} repaired, {} false alarms, \
         {} failed; {:.1} s\n",
        report.cases,
        report.named,
        report.wrong.len(),
        report.undetermined.len(),
        report.repaired,
        report.false_alarms,
        report.failed.len(),
        report.seconds
    )
}
