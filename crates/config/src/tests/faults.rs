//! Faults and their positions.

use super::*;

/// A file, then the line and the beginning of its only fault.
#[rustfmt::skip]
const IN_FILE: [(&str, &str); 86] = [
    ("[server]\nlisten = \"8080\"", r#"2: server.listen: "8080" is not an IP address"#),
    ("[server]\nlisten = 8080", "2: server.listen: is a number; write text in quotes"),
    ("[server]\n\nlistn = \"x\"", "3: server.listn: there is no such key; there are listen, "),
    ("\n[sever]\nlisten = 1", "2: sever: there is no such key; there are server, database, "),
    ("server = 5", "1: server: is a number; write [server]"),
    ("[[server]]", "1: server: is a list; write [server]"),
    ("\"server.listen\" = 1", "1: \"server.listen\": there is no such key"),
    ("server.listen.ip = 1", "1: server.listen: is a section; write text in quotes"),
    ("[server]\npublic_url = \"http://id.example.com\"", "2: server.public_url: http://id.example.com would send passwords"),
    ("[server]\npublic_url = \"https://id.example.com/a\"", "2: server.public_url: has the path \"/a\""),
    ("[server]\ntls = \"on\"", "2: server.tls: \"on\" is not a valid value; write \"off\", \"self-signed\", or {"),
    ("[server]\ntls = true", "2: server.tls: is true or false; write \"off\""),
    ("[server]\ntls = { cert = \"a\" }", "2: server.tls: has no key; write"),
    ("[server.tls]\ncert = \"a\"\nkey = \"b\"\nca = \"c\"", "1: server.tls: has the unknown key \"ca\""),
    ("[server]\ntls = { cert = \"data/\", key = \"b\" }", "2: server.tls: \"data/\" does not name a file"),
    ("[server]\ntls = \"self-signed\"\npublic_url = \"http://localhost:8080\"", "3: server.public_url: http://localhost:8080 is not https, but server.tls is on"),
    ("[server]\ntls = \"self-signed\"\nhsts = \"host\"", "3: server.hsts: with a self-signed certificate browsers would lock users out"),
    ("[server]\nallow_http = \"yes\"", "2: server.allow_http: write true or false"),
    ("[server]\nworkers = 0", "2: server.workers: write a whole number from 1 to 1024"),
    ("[server]\nworkers = 1.5", "2: server.workers: write a whole number from 1 to 1024"),
    ("[server]\nworkers = 99999999999999999999", "2: server.workers: write a whole number"),
    ("[server]\ntrusted_proxies = [\n\"10.0.0.0/8\",\n\"proxy\",\n]", "4: server.trusted_proxies: \"proxy\" is not a network"),
    ("[server]\ntrusted_proxies = \"::1\"", "2: server.trusted_proxies: write a list, such as [\"10.0.0.0/8\"]"),
    ("[server]\ntrusted_proxies = [1]", "2: server.trusted_proxies: is a number; write text"),
    ("[server]\nsecret_key_file = \"\"", "2: server.secret_key_file: \"\" does not name a file"),
    ("[database]\nurl = \"sqlite::memory:\"", "2: database.url: a database in memory"),
    ("[branding]\nname = \" \"", "2: branding.name: Enter a name."),
    ("[tokens]\nprefix = \"d_c\"", "2: tokens.prefix: \"d_c\" is not a prefix"),
    ("[tokens]\nmax_expiry = \"200y\"", "2: tokens.max_expiry: \"200y\" is out of bounds"),
    ("[tokens]\ndefault_expiry = 1979-05-27", "2: tokens.default_expiry: is a date; write text"),
    ("[tokens]\nmax_expiry = \"30d\"\ndefault_expiry = \"90d\"", "3: tokens.default_expiry: 90d exceeds tokens.max_expiry, which is 30d"),
    ("[device]\ncode_lifetime = \"31m\"", "2: device.code_lifetime: \"31m\" is out of bounds; write a duration from 1m to 30m"),
    ("[device]\ncode_lifetime = \"1801s\"", "2: device.code_lifetime: \"1801s\" is out of bounds"),
    ("[device]\ninterval = \"0s\"", "2: device.interval: \"0s\" is out of bounds; write a duration from 1s to 1m"),
    ("[device]\nlive_codes_per_source = -1", "2: device.live_codes_per_source: write a whole number"),
    ("[operator]\ntoken_file = \"data/\"", "2: operator.token_file: \"data/\" does not name a file"),
    ("[operator]\nenabled = \"no\"", "2: operator.enabled: write true or false"),
    ("[operator]\nactor_header = \"X Actor\"", "2: operator.actor_header: \"X Actor\" is not the name of a header"),
    ("[operator]\nactor_header = \"authorization\"", "2: operator.actor_header: \"authorization\" has a meaning of its own"),
    ("[operator]\nnetworks = [\"office\"]", "2: operator.networks: \"office\" is not a network"),
    ("[mail]\nfrom = \"login@example.com\"", "1: mail.smtp_url: is missing"),
    ("[mail]\nsmtp_url = \"smtp://localhost\"", "1: mail.from: is missing"),
    ("[mail]\nfrom = \"login\"\nsmtp_url = \"smtp://localhost\"", "2: mail.from: \"login\" is not an address"),
    ("[mail]\nfrom = \"a@b.example\"\nsmtp_url = \"mail:25\"", "3: mail.smtp_url: is not the address of a mail server"),
    ("[mail]\nfrom = \"a@b.example\"\nsmtp_url = \"smtp://localhost\"\nhost = \"x\"", "4: mail.host: there is no such key; there are smtp_url, from"),
    ("[sign_in]\nidle_timeout = \"30d\"", "2: sign_in.idle_timeout: 30d exceeds sign_in.absolute_timeout, which is 14d"),
    ("[sign_in]\nargon2_memory_kib = 19455", "2: sign_in.argon2_memory_kib: write a whole number from 19456 to"),
    ("[sign_in]\nargon2_iterations = 1", "2: sign_in.argon2_iterations: write a whole number from 2 to"),
    ("[scopes]\nname = \"a\"", "1: scopes: write a list, such as [{ name = "),
    ("scopes = [\"a\"]", "1: scopes: write tables, such as [{ name = "),
    ("\n[[scopes]]\nname = \"a\"", "2: scopes.description: is missing"),
    ("[[scopes]]\ndescription = \"A\"\nname = \"app:*\"", "3: scopes.name: \"app:*\" is not the name of a scope"),
    ("[[scopes]]\nname = \"a\"\ndescription = \"A\\u202e\"", "3: scopes.description: write 1 to 200 characters"),
    ("[[scopes]]\nname = \"a\"\ndescription = \"A\"\nmin_role = \"any\"", "4: scopes.min_role: \"any\" is not a role; write one of member, admin, owner"),
    ("[[scopes]]\nname = \"a\"\ndescription = \"A\"\nrole = \"x\"", "4: scopes.role: there is no such key; there are name, description, min_role, risk, group, default"),
    ("[[scopes]]\nname = \"a\"\ndescription = \"A\"\nrisk = \"low\"", "4: scopes.risk: \"low\" is not a risk; write one of read, write, high"),
    ("[[scopes]]\nname = \"a\"\ndescription = \"A\"\ngroup = \"\"", "4: scopes.group: write 1 to 100 characters on one line"),
    ("[new_organizations]\nplan = \"pro\"", "2: new_organizations.plan: \"pro\" is neither team nor free"),
    ("[new_organizations]\nmax_lifetime_days = 90\nnever_expires = true", "3: new_organizations.never_expires: is true beside max_lifetime_days"),
    ("[verify]\nerrors = \"xml\"", "2: verify.errors: \"xml\" is not one of oauth, code, problem"),
    ("[verify]\ncode_401 = \"a b\"", "2: verify.code_401: \"a b\" is not a code"),
    ("[[routes]]\nmatch = \"GET /\"\nrole = \"any\"", "3: routes.role: \"any\" is not a role"),
    ("[[presets]]\nname = \"A\"", "1: presets.scopes: is missing"),
    ("[[presets]]\nname = \"A\"\nscopes = [\"none\"]", "3: presets.scopes: \"none\" is not a scope; define it"),
    ("[[presets]]\nname = \"A\"\nscopes = []\n[[presets]]\nname = \"A\"\nscopes = []", "5: presets.name: \"A\" is defined twice"),
    ("tokens.builtin_scopes = \"doorcode\"", "1: tokens.builtin_scopes: \"doorcode\" is neither show, hide nor a prefix such as doorcode:"),
    ("tokens.builtin_scopes = \"hide\"\n[[presets]]\nname = \"A\"\nscopes = [\"tokens:read\"]", "4: presets.scopes: \"tokens:read\" is not a scope"),
    ("[[scopes]]\nname = \"orgs:read\"\ndescription = \"A\"", "2: scopes.name: \"orgs:read\" is a built-in scope"),
    ("[[scopes]]\nname = \"a\"\ndescription = \"A\"\n[[scopes]]\nname = \"a\"\ndescription = \"A\"", "5: scopes.name: \"a\" is defined twice"),
    ("[[routes]]\npublic = true", "1: routes.match: is missing"),
    ("[[routes]]\nmatch = \"/v1\"\npublic = true", "2: routes.match: \"/v1\" has no path"),
    ("[[routes]]\nmatch = \"GET /{project}/{project}\"\npublic = true", "2: routes.match: \"GET /{project}/{project}\" names more than one resource"),
    ("[[routes]]\nmatch = \"GET /\"", "2: routes.match: has no access rule; write one of scope, role, authenticated, operator, public"),
    ("[[routes]]\nmatch = \"GET /\"\nscope = \"app:deploy\"", "3: routes.scope: \"app:deploy\" is not a scope"),
    ("[[routes]]\nmatch = \"GET /\"\nscope = 5", "3: routes.scope: is a number; write text"),
    ("[[routes]]\nmatch = \"GET /\"\nscope = \"orgs:read\"\npublic = true", "4: routes.public: stands beside scope; write only one"),
    ("[[routes]]\noperator = true\nmatch = \"GET /\"\nauthenticated = true", "2: routes.operator: stands beside authenticated"),
    ("[[routes]]\nmatch = \"GET /\"\npublic = false", "3: routes.public: is false; write true or leave it out"),
    ("[[routes]]\nmatch = \"GET /\"\npublic = \"yes\"", "3: routes.public: write true or false"),
    ("[[routes]]\nmatch = \"GET /\"\npublic = true\nproject = \"x\"", "4: routes.project: there is no such key; there are match, scope, role, authenticated, operator, public"),
    ("[[routes]]\nmatch = \"GET /a\"\npublic = true\n[[routes]]\nmatch = \"GET /a\"\noperator = true", "5: routes.match: \"GET /a\" never decides, for \"GET /a\" stands before it"),
    ("[[routes]]\nmatch = \"* /a/**\"\npublic = true\n[[routes]]\nmatch = \"GET /a/{id}\"\noperator = true", "5: routes.match: \"GET /a/{id}\" never decides, for \"* /a/**\" stands before it"),
    ("routes = [\"GET /\"]", "1: routes: write tables, such as [{ match = "),
    ("[server]\nlisten = 127.0.0.1:8080", "2: this is not TOML: "),
    ("[server]\nworkers =\n", "2: this is not TOML: "),
    ("[server]\nworkers = 1\nworkers = 2", "3: this is not TOML: duplicate key"),
];

/// A variable, its value, then the beginning of its only fault.
#[rustfmt::skip]
const IN_ENV: [(&str, &str, &str); 25] = [
    ("DOORCODE__SERVER__LISTEN", "8080", "server.listen: \"8080\" is not an IP address"),
    ("DOORCODE__SERVER__LISTEN", "", "server.listen: \"\" is not an IP address"),
    ("DOORCODE__SERVER__PORT", "1", "server.port: there is no such key"),
    ("DOORCODE__SERVER", "x", "server: is text; write [server]"),
    ("DOORCODE__AUDIT__TOKEN_USE", "some", "audit.token_use: \"some\" is neither every nor off"),
    ("DOORCODE__AUDIT__KEEP_USES", "never", "audit.keep_uses: write forever"),
    ("DOORCODE__AUDIT__KEEP_RECORDS", "30d", "audit.keep_records: \"30d\" is shorter than keep_uses"),
    ("DOORCODE__AUDIT__KEEP_RECORDS", "1h", "audit.keep_records: \"1h\" is out of bounds"),
    ("DOORCODE__AUDIT__SHIP_TO", "http://logs.example.com/", "audit.ship_to: \"http://logs.example.com/\" would send the log unencrypted"),
    ("DOORCODE__LISTEN", "x", "listen: there is no such key"),
    ("DOORCODE_LISTEN", "x", "this variable is not read; write DOORCODE__SERVER__LISTEN for the key listen of the section [server]"),
    ("DOORCODE_SERVER_LISTEN", "x", "this variable is not read; write DOORCODE__SERVER__LISTEN"),
    ("DOORCODE_DATABASE_URL", "x", "this variable is not read; write DOORCODE__DATABASE__URL"),
    ("DOORCODE__Server__Listen", "x", "this variable names no key"),
    ("DOORCODE__SERVER__LISTEN__IP", "x", "this variable names no key"),
    ("DOORCODE__", "x", "this variable names no key"),
    ("DOORCODE__SERVER__PUBLIC_URL", "http://a.example", "server.public_url: http://a.example would"),
    ("DOORCODE__SERVER__WORKERS", "two", "server.workers: write a whole number"),
    ("DOORCODE__SERVER__ALLOW_HTTP", "1", "server.allow_http: write true or false"),
    ("DOORCODE__SERVER__TRUSTED_PROXIES", "10.0.0.0/8", "server.trusted_proxies: write a list"),
    ("DOORCODE__SERVER__TRUSTED_PROXIES", "[] x", "server.trusted_proxies: write a list"),
    ("DOORCODE__SERVER__TRUSTED_PROXIES", "[\"x\"]", "server.trusted_proxies: \"x\" is not"),
    ("DOORCODE__SCOPES", r#"[{ name = "a" }]"#, "scopes.description: is missing"),
    ("DOORCODE__ROUTES", "GET /", "routes: write a list, such as [{ match = "),
    ("DOORCODE__ROUTES", r#"[{ match = "GET /", scope = "x" }]"#, "routes.scope: \"x\" is not a scope"),
];

#[test]
fn a_fault_names_key_file_and_line() {
    for (text, expected) in IN_FILE {
        assert_faults(
            from_file(text),
            &[&format!("doorcode.toml:{expected}")],
            text,
        );
    }
}

#[test]
fn a_fault_names_the_variable() {
    for (name, value, expected) in IN_ENV {
        let read = from_env(&[(name, value)]);
        assert_faults(read, &[&format!("{name}: {expected}")], name);
    }
    let text = "server = 5\nscopes = []";
    let env = [
        ("DOORCODE__SCOPES__0", "x"),
        ("DOORCODE__SERVER__LISTEN", "x"),
    ];
    assert_faults(
        from_both(text, &env),
        &[
            "doorcode.toml:1: server: is a number",
            "DOORCODE__SCOPES__0: this variable names no key",
            "DOORCODE__SERVER__LISTEN: this variable names no key",
        ],
        text,
    );
}

#[test]
fn all_faults_are_reported_in_order_of_position() {
    let text = "[tokens]\nprefix = \"\"\n[server]\nworkers = 0\nlisten = \"x\"";
    let read = from_both(text, &[("DOORCODE__DEVICE__INTERVAL", "5")]);
    let expected = [
        "doorcode.toml:2: tokens.prefix: ",
        "doorcode.toml:4: server.workers: ",
        "doorcode.toml:5: server.listen: ",
        "DOORCODE__DEVICE__INTERVAL: device.interval: ",
    ];
    assert_faults(read, &expected, text);
}

#[test]
fn the_database_password_is_never_shown() {
    let good = from_file("[database]\nurl = \"postgres://u:hunter2@localhost/d\"").unwrap();
    assert!(
        good.describe()
            .contains("url = \"postgres://u:***@localhost/d\"")
    );
    assert!(!format!("{good:?}").contains("hunter2"));
    for line in [
        r#"url = "postgres://u:hunter2@db.example.com/d""#,
        r#"url = "postgres://u:hunter2@localhost/d"#,
        r#"url = postgres://u:hunter2@localhost/d"#,
        r#"url = "mysql://u:hunter2@localhost/d""#,
        r#"url = ["postgres://u:hunter2@localhost/d"]"#,
        r#"uri = "postgres://u:hunter2@localhost/d""#,
    ] {
        let error = from_file(&format!("[database]\n{line}")).unwrap_err();
        assert!(
            error.to_string().starts_with("doorcode.toml:2: "),
            "{error}"
        );
        assert!(!format!("{error}{error:?}").contains("hunter2"), "{error}");
    }
}
