//! The same line by az and by regain: exit status, standard output byte by byte, and
//! what is said of an error.

use e2e::Ran;

/// Lines of a difference that are shown.
const SHOWN: usize = 40;

/// What is not the same, in words.
pub(crate) fn differences(az: &Ran, regain: &Ran) -> Vec<String> {
    let mut wrong = Vec::new();
    if az.exit != regain.exit {
        wrong.push(format!("exit status: az {}, regain {}", az.exit, regain.exit));
    }
    if az.stdout != regain.stdout {
        wrong
            .push(format!("stdout (-az +regain):\n{}", diff(&az.stdout, &regain.stdout)));
    }
    let (theirs, ours) = (complaint(&az.stderr), complaint(&regain.stderr));
    if theirs != ours {
        wrong.push(format!("stderr (-az +regain):\n{}", diff(&theirs, &ours)));
    }
    wrong
}

/// az's error: from its `ERROR:` on, without the warnings before it and the hints of
/// its own manual after it.
fn complaint(stderr: &str) -> String {
    let own = ["Examples from AI", "https://", "az ", "To learn more", "Read more about"];
    stderr
        .lines()
        .skip_while(|line| !line.starts_with("ERROR:"))
        .take_while(|line| !own.iter().any(|hint| line.starts_with(hint)))
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// The lines that differ, each run of them after the line of az's at which it begins.
fn diff(theirs: &str, ours: &str) -> String {
    let (theirs, ours): (Vec<&str>, Vec<&str>) =
        (theirs.split('\n').collect(), ours.split('\n').collect());
    let common = common(&theirs, &ours);
    let mut lines = Vec::new();
    let (mut a, mut b) = (0, 0);
    let mut apart = false;
    while a < theirs.len() || b < ours.len() {
        if a < theirs.len() && b < ours.len() && theirs[a] == ours[b] {
            (a, b, apart) = (a + 1, b + 1, false);
            continue;
        }
        if !apart {
            lines.push(format!("@ line {}", a + 1));
            apart = true;
        }
        if b == ours.len() || (a < theirs.len() && common[a + 1][b] >= common[a][b + 1]) {
            lines.push(format!("-{}", theirs[a]));
            a += 1;
        } else {
            lines.push(format!("+{}", ours[b]));
            b += 1;
        }
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("… {more} lines more"));
    }
    lines.join("\n")
}

/// How many lines the rests from each pair of places on have in common.
fn common(theirs: &[&str], ours: &[&str]) -> Vec<Vec<u32>> {
    let mut common = vec![vec![0; ours.len() + 1]; theirs.len() + 1];
    for a in (0..theirs.len()).rev() {
        for b in (0..ours.len()).rev() {
            common[a][b] = if theirs[a] == ours[b] {
                common[a + 1][b + 1] + 1
            } else {
                common[a + 1][b].max(common[a][b + 1])
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(exit: i32, stdout: &str, stderr: &str) -> Ran {
        Ran { exit, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn the_same_bytes_are_alike_and_a_blank_is_not() {
        assert!(differences(&ran(0, "a\n", ""), &ran(0, "a\n", "note")).is_empty());
        assert_eq!(differences(&ran(0, "a\n", ""), &ran(0, "a \n", "")).len(), 1);
        assert_eq!(differences(&ran(3, "", ""), &ran(1, "", "")).len(), 1);
    }

    #[test]
    fn errors_are_compared_without_the_warnings_before_them() {
        let az = ran(3, "", "WARNING: slow\nERROR: (X) M\nCode: X\nMessage: M\n");
        assert!(
            differences(&az, &ran(3, "", "ERROR: (X) M\nCode: X\nMessage: M\n"))
                .is_empty()
        );
        assert_eq!(differences(&az, &ran(3, "", "ERROR: (Y) M\n")).len(), 1);
    }

    #[test]
    fn a_difference_shows_the_lines_that_differ() {
        assert_eq!(diff("a\nb\nc", "a\nx\nc"), "@ line 2\n-b\n+x");
        assert_eq!(diff("a\nb\nc\nd", "b\nc\nd\ne"), "@ line 1\n-a\n@ line 5\n+e");
        assert_eq!(diff("", "a\n"), "@ line 1\n+a");
    }
}
