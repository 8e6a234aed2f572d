//! The server's figures with 10,000 resources and simulated machines: requests per
//! second, how long one takes, and the memory that it needs, in one run.
//!
//! Each row stands beside the limit that it is held against: above 1.00 of it the
//! figure is no longer good.

#![expect(clippy::print_stdout, reason = "figures are printed")]

mod client;
mod stock;

use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::Lab;
use reqwest::Method;
use serde_json::json;

use crate::client::Client;

/// How many clients ask at once.
const CLIENTS: usize = 8;

/// The server, for as long as this is there.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _may_be_over = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[tokio::main]
async fn main() {
    let lab = Lab::down();
    let server = lab
        .command(&["serve", "--engine", "fake"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("regain starts");
    let server = Server(server);
    let client = Arc::new(Client::of(&lab.state()).await);
    let before = memory(server.0.id());
    let start = Instant::now();
    stock::fill(&client).await;
    println!(
        "{} resources, {} of them VMs, made in {:.0} s",
        stock::ALL,
        stock::MACHINES,
        start.elapsed().as_secs_f64()
    );
    println!(
        "{:<34} {:>8} {:>9} {:>9} {:>9}  beside",
        "figure", "per s", "p50", "p99", "worst"
    );
    let ms = Duration::from_millis;
    let vm = |n: usize| stock::machine(n % stock::MACHINES);
    let nsg = |n: usize| stock::group_of_rules(n % stock::RULES);
    let nic = |n: usize| stock::interface(n % stock::MACHINES);
    let rate = |client: &Arc<Client>| Load { client: Arc::clone(client) };
    let load = rate(&client);
    load.row("GET one VM", 4000, ms(20), move |n| (Method::GET, vm(n), None)).await;
    load.row("GET one NSG, its users shown", 4000, ms(20), move |n| {
        (Method::GET, nsg(n), None)
    })
    .await;
    load.row("GET one NIC", 4000, ms(20), move |n| (Method::GET, nic(n), None)).await;
    load.row("GET a list of 1,000 VMs", 40, ms(1000), |_| {
        (Method::GET, "/providers/Microsoft.Compute/virtualMachines".to_owned(), None)
    })
    .await;
    load.row("GET a list of 900 public addresses", 40, ms(1000), |_| {
        (Method::GET, "/providers/Microsoft.Network/publicIPAddresses".to_owned(), None)
    })
    .await;
    load.row("GET 1,000 of all resources", 40, ms(1000), |_| {
        (Method::GET, "/resources".to_owned(), None)
    })
    .await;
    load.row("PUT a security rule", 1500, ms(100), move |n| {
        let priority = 200 + n / stock::RULES;
        let rule = json!({ "properties": stock::rule(priority) });
        (Method::PUT, format!("{}/securityRules/r{n}", nsg(n)), Some(rule))
    })
    .await;
    load.row("PATCH a VM's tags", 1500, ms(100), move |n| {
        (Method::PATCH, vm(n), Some(json!({ "tags": { "n": n.to_string() } })))
    })
    .await;
    load.row("PUT a VM (with its boot)", 200, ms(500), |n| {
        let n = stock::MACHINES + n;
        (Method::PUT, stock::machine(n), Some(stock::machine_body(n)))
    })
    .await;
    let after = memory(server.0.id());
    println!(
        "{:<34} {:>8} {:>9} {:>9} {:>9}  limit 500 MB: {:.2} of it ({} MB when empty)",
        "resident memory",
        "",
        "",
        "",
        format!("{after} MB"),
        f64::from(after) / 500.0,
        before
    );
    vm_list(&lab);
}

/// The whole process that an operator runs.
fn vm_list(lab: &Lab) {
    let mut runs: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            lab.regain(&["vm", "list", "-o", "json"]).ok();
            start.elapsed()
        })
        .collect();
    runs.sort_unstable();
    let limit = Duration::from_secs(1);
    print_row("regain vm list, all VMs", &runs, 0.0, limit);
}

struct Load {
    client: Arc<Client>,
}

impl Load {
    /// Sends `count` requests, [`CLIENTS`] at once, and prints how it went.
    async fn row(
        &self,
        figure: &str,
        count: usize,
        limit: Duration,
        request: impl Fn(usize) -> (Method, String, Option<serde_json::Value>)
        + Clone
        + Send
        + 'static,
    ) {
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let tasks: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (client, next) = (Arc::clone(&self.client), Arc::clone(&next));
                let request = request.clone();
                tokio::spawn(async move {
                    let mut times = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return times;
                        }
                        let (method, path, body) = request(number);
                        let start = Instant::now();
                        client.done(method, &path, body.as_ref()).await;
                        times.push(start.elapsed());
                    }
                })
            })
            .collect();
        let mut times = Vec::with_capacity(count);
        for task in tasks {
            times.extend(task.await.expect("a client ends by itself"));
        }
        let rate = f64::from(u32::try_from(count).unwrap_or(u32::MAX))
            / start.elapsed().as_secs_f64();
        times.sort_unstable();
        print_row(figure, &times, rate, limit);
    }
}

/// `times` are sorted; the limit is for the 99th of a hundred.
fn print_row(figure: &str, times: &[Duration], rate: f64, limit: Duration) {
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let rate = if rate > 0.0 { format!("{rate:.0}") } else { String::new() };
    println!(
        "{figure:<34} {rate:>8} {:>9} {:>9} {:>9}  limit {limit:?}: {:.2} of it",
        millis(at(50)),
        millis(at(99)),
        millis(at(100)),
        at(99).as_secs_f64() / limit.as_secs_f64()
    );
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// A process's resident memory in MB.
fn memory(pid: u32) -> u32 {
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes: u32 = line
        .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .expect("the kernel knows it");
    kilobytes / 1024
}
