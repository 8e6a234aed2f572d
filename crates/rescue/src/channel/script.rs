//! Shell text on its way into a guest: what only its readers here need stays here.

/// A script with values before it, quoted so that any text arrives as it is.
pub(crate) fn with_variables(variables: &[(&str, &str)], script: &str) -> String {
    let mut text = String::with_capacity(script.len() + 256);
    for (name, value) in variables {
        let value = value.replace('\'', "'\\''");
        text.push_str(&format!("{name}='{value}'\nexport {name}\n"));
    }
    text.push_str(script);
    text
}

/// A text of ours without comment lines and indentation: a channel carries all of it.
/// None has a string or a here-document that goes over lines and needs either.
pub(crate) fn compact(text: &str) -> String {
    let lines = text.lines().map(str::trim_start);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn run(script: &str) -> String {
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn comments_and_indentation_do_not_travel() {
        let text = "# head\n\tif true; then # here\n\n\t\techo '#'\n\tfi\n";
        assert_eq!(compact(text), "if true; then # here\necho '#'\nfi\n");
    }

    #[test]
    fn any_value_arrives_as_it_is() {
        let value = "it's $HOME `id` \\ \"\n\tend";
        assert_eq!(
            run(&with_variables(&[("VALUE", value)], "printf %s \"$VALUE\"")),
            value
        );
    }
}
