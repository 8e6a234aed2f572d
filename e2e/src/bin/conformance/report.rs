//! The table, live, and the plain count at its end.

use std::io::{IsTerminal, Write, stdout};
use std::sync::Mutex;
use std::time::Duration;

use e2e::{Client, Ran};
use serde_json::{Value, json};

/// How much of a failing command's output is shown.
const SHOWN: usize = 60;

/// How one command ended.
pub(crate) struct Row {
    pub(crate) family: &'static str,
    /// The client, or the two that are compared.
    pub(crate) client: String,
    pub(crate) command: String,
    pub(crate) took: Duration,
    /// What does not hold; empty if all does.
    pub(crate) wrong: Vec<String>,
    pub(crate) ran: Option<Ran>,
}

/// All rows of a run.
pub(crate) struct Report {
    rows: Mutex<Vec<Value>>,
    json: bool,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        if !json {
            println!("{:<7} {:<9} {:>6}  command", "result", "client", "s");
        }
        Self { rows: Mutex::default(), json }
    }

    /// Show how a command ended.
    pub(crate) fn add(&self, row: &Row) {
        let failed = !row.wrong.is_empty();
        let mut rows = self.rows.lock().expect("no row panics");
        let mut document = json!({
            "result": if failed { "failed" } else { "passed" },
            "family": row.family,
            "client": row.client,
            "command": row.command,
            "seconds": (row.took.as_secs_f64() * 100.0).round() / 100.0,
        });
        if failed {
            document["wrong"] = json!(row.wrong);
            if let Some(ran) = &row.ran {
                document["exit"] = json!(ran.exit);
                document["stdout"] = json!(ran.stdout);
                document["stderr"] = json!(ran.stderr);
            }
        }
        rows.push(document);
        if !self.json {
            println!("{}", text(row));
            let _ = stdout().flush();
        }
    }

    /// The plain count; how many failed.
    pub(crate) fn end(&self, took: Duration) -> usize {
        let rows = self.rows.lock().expect("no row panics");
        let failed = rows.iter().filter(|row| row["result"] == "failed").count();
        if self.json {
            println!("{:#}", Value::Array(rows.clone()));
            return failed;
        }
        let count = |client: Client| {
            let of = |row: &&Value| row["client"] == client.name();
            format!("{} {}", client.name(), rows.iter().filter(of).count())
        };
        let alike = rows.iter().filter(|row| row["client"] == "az=regain").count();
        for row in rows.iter().filter(|row| row["result"] == "failed") {
            println!("failed: {} {} ({})", row["client"], row["command"], row["family"]);
        }
        println!(
            "conformance: {} passed, {failed} failed ({}, az=regain {alike}) in {} s",
            rows.len() - failed,
            Client::ALL.map(count).join(", "),
            took.as_secs()
        );
        failed
    }
}

fn text(row: &Row) -> String {
    let failed = !row.wrong.is_empty();
    let (mark, colour) = if failed { ("FAILED", "31") } else { ("ok", "32") };
    let mark = format!("{mark:<7}");
    let mark = if stdout().is_terminal() {
        format!("\x1b[{colour}m{mark}\x1b[0m")
    } else {
        mark
    };
    let mut text = format!(
        "{mark} {:<9} {:>6.2}  {}",
        row.client,
        row.took.as_secs_f64(),
        row.command.replace('\n', "\\n")
    );
    if failed {
        for why in &row.wrong {
            text.push_str(&indented(why));
        }
        if let Some(ran) = &row.ran {
            text.push_str(&indented(&format!("exit status {}", ran.exit)));
            text.push_str(&indented(&cut("stdout", &ran.stdout)));
            text.push_str(&indented(&cut("stderr", &ran.stderr)));
        }
    }
    text
}

fn cut(name: &str, text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let more = lines.len().saturating_sub(SHOWN);
    let mut shown = lines[..lines.len() - more].join("\n");
    if more > 0 {
        shown.push_str(&format!("\n… {more} lines more"));
    }
    format!("{name}: {shown}")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("\n        {line}")).collect()
}
