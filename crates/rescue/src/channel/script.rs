//! Values in front of a script.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_arrives_as_it_is() {
        let value = "it's $HOME `id` \\ \"\n\tend";
        let script = with_variables(&[("VALUE", value)], "printf %s \"$VALUE\"");
        let output = std::process::Command::new("sh").arg("-c").arg(script).output();
        assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), value);
    }
}
