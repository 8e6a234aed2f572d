//! `man DIR`

use std::fs;

use clap::CommandFactory;
use serde_json::{Value, json};

use crate::args::{Cli, Man};
use crate::failure::Failure;
use crate::output::Answer;

pub(super) fn run(args: &Man) -> Result<Answer, Failure> {
    let write = || {
        fs::create_dir_all(&args.dir)?;
        clap_mangen::generate_to(Cli::command(), &args.dir)?;
        let mut pages = Vec::new();
        for entry in fs::read_dir(&args.dir)? {
            pages.push(entry?.file_name().to_string_lossy().into_owned());
        }
        pages.sort();
        Ok::<_, std::io::Error>(pages)
    };
    let pages = write().map_err(|error| {
        Failure::new(format!("cannot write man pages to {}", args.dir.display()))
            .because(error)
    })?;
    let count = pages.len();
    let pages: Vec<Value> = pages.into_iter().map(Value::String).collect();
    Ok(Answer::new(json!(pages))
        .with_text(format!("{count} pages in {}\n", args.dir.display())))
}
