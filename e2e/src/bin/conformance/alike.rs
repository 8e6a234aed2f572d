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

/// The lines that differ, without those that are the same at both ends.
fn diff(theirs: &str, ours: &str) -> String {
    let (theirs, ours): (Vec<&str>, Vec<&str>) =
        (theirs.split('\n').collect(), ours.split('\n').collect());
    let same = theirs.iter().zip(&ours).take_while(|(a, b)| a == b).count();
    let (theirs, ours) = (&theirs[same..], &ours[same..]);
    let tail =
        theirs.iter().rev().zip(ours.iter().rev()).take_while(|(a, b)| a == b).count();
    let marked = |mark: &str, lines: &[&str]| -> Vec<String> {
        lines[..lines.len() - tail].iter().map(|line| format!("{mark}{line}")).collect()
    };
    let mut lines = vec![format!("@ line {}", same + 1)];
    for side in [marked("-", theirs), marked("+", ours)] {
        let more = side.len().saturating_sub(SHOWN);
        lines.extend(side.into_iter().take(SHOWN));
        if more > 0 {
            lines.push(format!("… {more} lines more"));
        }
    }
    lines.join("\n")
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
    }
}
