//! `diagnose`

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use doctor::case::{self, Case};
use doctor::{Verdict, judge};

use super::target;
use crate::args::rescue::Diagnose;
use crate::context::Context;
use crate::failure::Failure;
use crate::knowledge;
use crate::output::{Answer, Progress, verdict};

pub(super) async fn run(args: Diagnose, context: &Context) -> Result<Answer, Failure> {
    let catalogue = knowledge::catalogue(&args.target.faults)?;
    let mut kept = None;
    let case = match &args.from {
        Some(file) => load(file)?,
        None => {
            let request = target::request(&args.target, context).await?;
            // Nobody waits minutes for a case that then cannot be kept.
            if let Some(file) = &args.save {
                kept = Some((file, open(file)?));
            }
            let progress = Progress::start_quiet();
            rescue::collect(&request, &|event| progress.section(&event)).await
        }
    };
    let verdict = judge(&case, &catalogue, context.lang());
    let answer = answer(&verdict, &args.target.options(), context)?;
    if let Some((file, open)) = kept
        && let Err(failure) = save(file, open, &case)
    {
        // The diagnosis is not lost with its file.
        context.printer.answer(&answer)?;
        return Err(failure);
    }
    Ok(answer)
}

fn answer(
    verdict: &Verdict,
    options: &str,
    context: &Context,
) -> Result<Answer, Failure> {
    let document = serde_json::to_value(verdict)
        .map_err(|error| Failure::new("the verdict cannot be written").because(error))?;
    let text = verdict::render(verdict, options, context.printer.style());
    Ok(Answer::new(document).with_text(text).with_exit(verdict.exit_code()))
}

fn load(file: &Path) -> Result<Case, Failure> {
    let wrong = |why: String| {
        Failure::usage(format!("{} is not a case file: {why}", file.display()))
            .next("a case file is what `regain diagnose --save FILE` wrote")
    };
    let text = fs::read(file).map_err(|error| {
        Failure::usage(format!("cannot read {}", file.display())).because(error)
    })?;
    // The version first: a newer file has fields that this build does not know.
    let document: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    match document["version"].as_u64() {
        Some(version) if version == u64::from(case::VERSION) => {}
        Some(version) if version < u64::from(case::VERSION) => {
            return Err(wrong(format!(
                "it has version {version}, from a time when the guest's evidence was \
                 divided otherwise and held lines of key files; this build reads \
                 version {}, so collect it again",
                case::VERSION
            )));
        }
        Some(version) => {
            return Err(wrong(format!(
                "it has version {version}, and this build reads version {}",
                case::VERSION
            )));
        }
        None => return Err(wrong("`version` is missing".to_owned())),
    }
    serde_json::from_value(document).map_err(|error| wrong(error.to_string()))
}

/// Opens the file of a case; what it held stays until there is something new.
fn open(file: &Path) -> Result<File, Failure> {
    // Names, addresses and rules of somebody's machine are for the one who asked.
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(0o600);
    options.open(file).map_err(|error| cannot_write(file, error))
}

fn save(file: &Path, mut open: File, case: &Case) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(case)
        .map_err(|error| cannot_write(file, error.into()))?;
    text.push(b'\n');
    let mut write = || {
        // A pipe cannot be cut.
        if open.metadata()?.is_file() {
            open.set_len(0)?;
        }
        open.write_all(&text)
    };
    write().map_err(|error| cannot_write(file, error))
}

fn cannot_write(file: &Path, error: std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}", file.display())).because(error)
}
