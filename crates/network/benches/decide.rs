//! The compiled path beside the naive one, on the same flows in the same run.
//!
//! `cargo bench -p network --bench decide` prints divan's table and then one line per
//! size with the ratio. A NIC has two NSGs of the given number of rules, each rule
//! with four prefixes, one in four with a service tag instead; the flows are spread
//! over what the rules name, and a quarter falls through to the default rules.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use ipnet::{IpNet, Ipv4Net};
use network::{
    Access, Addresses, Attachment, Compiled, Direction, Endpoint, Flow, Nsg, Ports,
    Protocol, Rule, ServiceTag, Tags, decide,
};

const SIZES: [u16; 3] = [10, 100, 1000];
const FLOWS: u16 = 256;

fn main() {
    divan::main();
    // cargo and nextest also start a bench to list it or to try it out.
    if std::env::args().any(|argument| argument == "--bench") {
        report();
    }
}

#[divan::bench(args = SIZES)]
fn naive(bencher: Bencher<'_, '_>, size: u16) {
    let world = World::new(size);
    bencher.counter(ItemsCount::new(FLOWS)).bench(|| world.decide_naively());
}

#[divan::bench(args = SIZES)]
fn compiled(bencher: Bencher<'_, '_>, size: u16) {
    let world = World::new(size);
    let nsgs = world.nsgs();
    let compiled = Compiled::new(&nsgs, &world.tags);
    bencher.counter(ItemsCount::new(FLOWS)).bench(|| world.decide_fast(&compiled));
}

#[divan::bench(args = SIZES)]
fn compile(bencher: Bencher<'_, '_>, size: u16) {
    let world = World::new(size);
    bencher.bench(|| {
        black_box(Compiled::new(&world.nsgs(), &world.tags))
            .decide(&world.flows[0])
            .access
    });
}

struct World {
    subnet: Nsg,
    nic: Nsg,
    tags: Tags,
    flows: Vec<Flow>,
}

impl World {
    fn new(size: u16) -> World {
        let nsg = |id| {
            let rules = (0..size).map(|n| rule(n, size));
            Nsg::new(id, rules).expect("every rule has its own priority")
        };
        let vnet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8));
        World {
            subnet: nsg("subnet"),
            nic: nsg("nic"),
            tags: Tags::new([vnet]),
            flows: (0..FLOWS).map(|n| flow(n, size)).collect(),
        }
    }

    fn nsgs(&self) -> [(Attachment, &Nsg); 2] {
        [(Attachment::Subnet, &self.subnet), (Attachment::NetworkInterface, &self.nic)]
    }

    fn decide_naively(&self) -> usize {
        let nsgs = self.nsgs();
        let denied = |flow: &&Flow| {
            decide(&nsgs, black_box(flow), &self.tags).access == Access::Deny
        };
        self.flows.iter().filter(denied).count()
    }

    fn decide_fast(&self, compiled: &Compiled<'_>) -> usize {
        let denied =
            |flow: &&Flow| compiled.decide(black_box(flow)).access == Access::Deny;
        self.flows.iter().filter(denied).count()
    }
}

/// The first address of a block that only rule `n` names.
fn block(n: u16) -> [u8; 2] {
    n.to_be_bytes()
}

fn rule(n: u16, size: u16) -> Rule {
    let [high, low] = block(n);
    let prefixes = (0..4).map(|quarter| {
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(60 + high, low, quarter * 64, 0), 24))
    });
    let source = match n % 4 {
        0 => Addresses::Tag(ServiceTag::Internet),
        _ => Addresses::Prefixes(prefixes.collect()),
    };
    Rule {
        name: format!("rule-{n}"),
        description: None,
        // Spread over the priorities there are.
        priority: 100 + n * (3996 / size),
        direction: Direction::Inbound,
        access: Access::Allow,
        protocol: Protocol::Tcp,
        source: Endpoint { addresses: source, ports: Ports::any() },
        destination: Endpoint { addresses: Addresses::Any, ports: Ports::one(1000 + n) },
        default: false,
    }
}

fn flow(n: u16, size: u16) -> Flow {
    let wanted = n * (size / 10).max(1) % size;
    let [high, low] = block(wanted);
    // A port that no rule names lets the flow fall through.
    let port = if n.is_multiple_of(4) { 22 } else { 1000 + wanted };
    Flow {
        direction: Direction::Inbound,
        protocol: Protocol::Tcp,
        source: IpAddr::V4(Ipv4Addr::new(60 + high, low, 64, 9)),
        source_port: 50000,
        destination: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 4)),
        destination_port: port,
    }
}

/// One line per size: the median of many rounds, the two paths taking turns.
#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn report() {
    const ROUNDS: usize = 201;
    for size in SIZES {
        let world = World::new(size);
        let nsgs = world.nsgs();
        let compiled = Compiled::new(&nsgs, &world.tags);
        let (mut naive, mut fast) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            naive.push(time(|| world.decide_naively()));
            fast.push(time(|| world.decide_fast(&compiled)));
        }
        let (naive, fast) = (per_flow(naive), per_flow(fast));
        let ratio = naive / fast;
        println!(
            "2 NSGs of {size:>4} rules: naive {naive:>8.0} ns, compiled {fast:>4.0} ns \
             a flow, ratio {ratio:.1}"
        );
    }
}

fn time(work: impl FnOnce() -> usize) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// The median in nanoseconds for one flow.
fn per_flow(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e9 / f64::from(FLOWS)
}
