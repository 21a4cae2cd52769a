use super::*;

/// The help of a command and of the commands below it.
fn help(command: &mut clap::Command) -> String {
    let mut text = command.render_long_help().to_string();
    for below in command.get_subcommands_mut() {
        text += &help(below);
    }
    text
}

#[test]
fn the_command_line_is_consistent() {
    CommandLine::of_client(&Branding::default())
        .describe()
        .debug_assert();
}

#[test]
fn the_help_has_only_the_names_of_the_company() {
    let acme = Branding {
        program: "acme".into(),
        ..Branding::default()
    };
    let text = help(&mut CommandLine::of_client(&acme).describe());
    assert!(
        text.starts_with("Sign in to your API from the command line\n"),
        "{text}"
    );
    for expected in [
        "acme <COMMAND>",
        "ACME_PROFILE",
        "ACME_HOST",
        "whoami",
        "audit",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.to_lowercase().contains("doorcode"), "{text}");
}

#[test]
fn suggested_commands_have_the_name_of_the_program_and_its_flags() {
    let acme = Branding {
        program: "acme".into(),
        ..Branding::default()
    };
    let options = ClientOptions {
        profile: Some(crate::profile::Profile::parse("work").unwrap()),
        host: Some(crate::host::Host::parse("http://a.example").unwrap()),
        allow_http: true,
        ..ClientOptions::default()
    };
    let context = Context::new(&acme, &options);
    assert_eq!(
        context.command("login"),
        "acme login --profile work --host http://a.example --allow-http"
    );
    assert_eq!(
        context.later_command("whoami"),
        "acme whoami --profile work --allow-http"
    );
}

#[test]
fn commands_and_options_have_the_words_of_the_company() {
    let cmdop = Branding {
        program: "cmdop".into(),
        words: crate::branding::Words {
            organization: "fleet".into(),
            project: "workspace".into(),
            profile: "mode".into(),
        },
        variables: crate::branding::Variables {
            profile: Some("CMDOP_MODE".into()),
            project: Some("CMDOP_SPACE".into()),
            ..crate::branding::Variables::default()
        },
        ..Branding::default()
    };
    let text = help(&mut CommandLine::of_client(&cmdop).describe());
    for word in ["doorcode", "organization", "profile", "project"] {
        assert!(!text.to_lowercase().contains(word), "{word}: {text}");
    }
    for expected in [
        "--fleet <FLEET>",
        "--limit-workspace <WORKSPACE>",
        "--mode <NAME>",
        "CMDOP_MODE",
        "Limit the token to this fleet",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // The words of Doorcode still work, for scripts, but errors have the new ones.
    for line in [
        "cmdop workspace list --fleet acme --mode dev",
        "cmdop project list --org acme --profile dev",
        "cmdop mode use dev",
        "cmdop token create ci --limit-workspace prj_01890a5dac96774bbcceb302099a8051",
    ] {
        let words = line.split(' ').map(std::ffi::OsString::from);
        let parsed = CommandLine::of_client(&cmdop).parse(words).unwrap();
        assert!(Arguments::from_arg_matches(&parsed).is_ok(), "{line}");
    }
    let wrong = ["cmdop", "project", "lits"].map(std::ffi::OsString::from);
    let error = CommandLine::of_client(&cmdop)
        .parse(wrong.into_iter())
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("cmdop workspace"), "{text}");
}
