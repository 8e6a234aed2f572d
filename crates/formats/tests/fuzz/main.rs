//! Every reader under mutated input: a target per format, with real files to begin
//! with in `fuzz/corpus/NAME/`.
//!
//! A target takes bytes and holds what its reader promises against them. Here each
//! runs for two seconds. By hand, for as long as one likes:
//!
//! ```text
//! make fuzz TARGET=sshd_config SECONDS=3600
//! ```
//!
//! A failure is shrunk and printed with the seed that finds it again
//! (`REGAIN_FUZZ_SEED`).

mod mutation;
mod targets;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// What a target promises; an error says what does not hold.
type Target = fn(&[u8]) -> Result<(), TestCaseError>;

/// Inputs between two looks at the clock.
const BATCH: u32 = 16;

/// Mutates the corpus of a target until the time is over.
fn fuzz(name: &str, target: Target) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(&directory)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> =
        paths.iter().map(|path| fs::read(path).expect("a seed")).collect();
    assert!(!corpus.is_empty(), "{} has no seeds", directory.display());
    for (path, seed) in paths.iter().zip(&corpus) {
        target(seed).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let mut seed = number("REGAIN_FUZZ_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.map_or(0, |now| now.as_nanos() as u64)
    });
    let end =
        Instant::now() + Duration::from_secs(number("REGAIN_FUZZ_SECONDS").unwrap_or(2));
    let inputs = mutation::inputs(corpus);
    while Instant::now() < end {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config =
            Config { cases: BATCH, failure_persistence: None, ..Config::default() };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        TestRunner::new_with_rng(config, rng)
            .run(&inputs, |input| target(&input.bytes()))
            .unwrap_or_else(|failure| panic!("REGAIN_FUZZ_SEED={seed}\n{failure}"));
        seed = seed.wrapping_add(1);
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn sshd_config() {
    fuzz("sshd_config", targets::sshd_config);
}

#[test]
fn sshd_test() {
    fuzz("sshd_test", targets::sshd_test);
}

#[test]
fn authorized_keys() {
    fuzz("authorized_keys", targets::authorized_keys);
}

#[test]
fn accounts() {
    fuzz("accounts", targets::accounts);
}

#[test]
fn nft() {
    fuzz("nft", targets::nft);
}

#[test]
fn iptables() {
    fuzz("iptables", targets::iptables);
}
