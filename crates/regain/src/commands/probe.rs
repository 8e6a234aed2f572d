//! `probe HOST...`: the client's side only.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use probe::{Found, GreetingOutcome, Limits, Names, Pace, TcpOutcome};
use serde_json::Value;

use super::target::parse_host;
use crate::args::rescue::Probe;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Progress, Table};

pub(super) async fn run(args: Probe, context: &Context) -> Result<Answer, Failure> {
    let mut lines = args.hosts.clone();
    if let Some(file) = &args.file {
        lines.extend(read(file)?);
    }
    let mut targets = Vec::with_capacity(lines.len());
    for line in &lines {
        let host = parse_host(line)?;
        targets.push(probe::Target {
            host: host.host,
            port: host.port.unwrap_or(args.port),
        });
    }
    if targets.len() > 200 {
        probe::raise_open_files();
    }
    let places: HashMap<(String, u16), usize> = targets
        .iter()
        .enumerate()
        .map(|(at, target)| ((target.host.clone(), target.port), at))
        .collect();
    let limits = Limits { connect: args.connect_timeout, ..Limits::default() };
    let pace = Pace { concurrency: args.parallel.max(1), per_second: None };
    let (total, progress) = (targets.len(), Progress::start_quiet());
    let mut results = probe::fleet(Arc::new(Names::system()), targets, limits, pace);
    let mut found = Vec::with_capacity(total);
    while let Some(result) = results.recv().await {
        found.push(result);
        progress.step(&format!("{}/{total}", found.len()));
    }
    drop(progress);
    // In the order in which they were named, not in that of their answers.
    found.sort_by_key(|result| {
        places.get(&(result.target.host.clone(), result.target.port))
    });

    let healthy = found.iter().all(is_ssh);
    let rows: Vec<[String; 3]> = found.iter().map(row).collect();
    let documents: Result<Vec<Value>, _> =
        found.iter().map(serde_json::to_value).collect();
    let documents = documents
        .map_err(|error| Failure::new("the results cannot be written").because(error))?;
    let lang = context.lang();
    let headers = [lang.pick("Host", "ホスト"), "TCP", lang.pick("Server", "サーバー")];
    Ok(Answer::new(Value::Array(documents))
        .with_text(Table::new(headers, rows).to_string())
        .with_exit(u8::from(!healthy)))
}

fn read(file: &Path) -> Result<Vec<String>, Failure> {
    let text = if file == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|error| {
        Failure::usage(format!("cannot read {}", file.display())).because(error)
    })?;
    let lines = text.lines().map(str::trim);
    Ok(lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

fn is_ssh(found: &Found) -> bool {
    found
        .way_in
        .greeting
        .as_ref()
        .is_some_and(|greeting| greeting.outcome == GreetingOutcome::Ok)
}

fn row(found: &Found) -> [String; 3] {
    let way_in = &found.way_in;
    let tcp = match way_in.telling_connect() {
        None => "no address".to_owned(),
        Some(tcp) if tcp.outcome == TcpOutcome::Connected => format!("{} ms", tcp.millis),
        Some(tcp) => word(&tcp.outcome),
    };
    let server = match &way_in.greeting {
        None => String::new(),
        Some(greeting) => {
            greeting.banner.clone().unwrap_or_else(|| word(&greeting.outcome))
        }
    };
    [format!("{}:{}", found.target.host, found.target.port), tcp, server]
}

/// The word that the JSON has for it.
fn word(outcome: &impl serde::Serialize) -> String {
    serde_json::to_value(outcome)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}
