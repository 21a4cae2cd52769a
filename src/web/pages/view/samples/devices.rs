//! The list of devices and signing them out, in every state.

use super::super::devices::*;
use super::{HOSTILE, LONG, Sample, ada, days, minutes, sample};

fn browser(name: &str, active: i64) -> DeviceRow {
    DeviceRow {
        kind: DeviceKind::Browser,
        is_this_browser: false,
        path: "/devices/browsers/ses_2".into(),
        name: name.into(),
        client: None,
        since: minutes(active - 4000),
        last_active: Some(minutes(active)),
        address: Some("2001:db8:85a3:1:2:8a2e:370:7334".into()),
        ends: Some(days(9)),
        scopes: 0,
        high_risk: 0,
        tokens: 0,
    }
}

fn terminal(name: &str, client: &str) -> DeviceRow {
    DeviceRow {
        kind: DeviceKind::Terminal,
        path: "/devices/terminals/tok_1".into(),
        client: Some(client.into()),
        address: Some("203.0.113.55".into()),
        ends: Some(days(90)),
        scopes: 4,
        high_risk: 1,
        tokens: 1,
        ..browser(name, -6)
    }
}

fn devices() -> Vec<DeviceRow> {
    vec![
        DeviceRow {
            is_this_browser: true,
            ..browser("Chrome on Linux", 0)
        },
        terminal("ada-laptop", "Acme CLI"),
        DeviceRow {
            tokens: 3,
            high_risk: 0,
            ends: None,
            ..terminal(HOSTILE, LONG)
        },
        DeviceRow {
            kind: DeviceKind::Phone,
            ..browser("Safari on iPhone", -120)
        },
        DeviceRow {
            last_active: None,
            address: None,
            scopes: 1,
            high_risk: 0,
            ..terminal("", "Acme CLI")
        },
        DeviceRow {
            scopes: 0,
            high_risk: 0,
            ..terminal("old-workstation", "Acme CLI")
        },
        browser(HOSTILE, -9000),
    ]
}

/// The devices of an ordinary user.
fn ordinary() -> Vec<DeviceRow> {
    let mut devices = devices();
    devices.retain(|device| device.name != HOSTILE && !device.name.is_empty());
    devices
}

fn page(devices: Vec<DeviceRow>, notice: Option<DevicesNotice>) -> DevicesPage {
    DevicesPage {
        chrome: ada(),
        notice,
        all: devices.len(),
        devices,
        first: 1,
        newer: None,
        older: None,
    }
}

/// The list of devices and signing them out.
pub fn samples() -> Vec<Sample> {
    let list = |state, notice| sample("devices", state, &page(devices(), notice));
    let alone = page(devices()[..1].to_vec(), Some(DevicesNotice::Others));
    let middle = DevicesPage {
        first: 51,
        all: 130,
        newer: Some("/devices?page=1".into()),
        older: Some("/devices?page=3".into()),
        ..page(devices(), None)
    };
    let ask = |state, device| {
        let page = SignOutPage {
            chrome: ada(),
            device,
        };
        sample("device-sign-out", state, &page)
    };
    let others = |state, devices: &[DeviceRow]| {
        let page = SignOutOthersPage {
            chrome: ada(),
            devices: devices.to_vec(),
        };
        sample("device-sign-out-others", state, &page)
    };
    vec![
        sample("devices", "ordinary", &page(ordinary(), None)),
        list("some", None),
        list("browser-signed-out", Some(DevicesNotice::Browser)),
        list("terminal-signed-out", Some(DevicesNotice::Terminal)),
        sample("devices", "alone", &alone),
        sample("devices", "middle", &middle),
        ask("browser", devices()[3].clone()),
        ask("this-browser", devices()[0].clone()),
        ask("terminal", devices()[1].clone()),
        ask("terminal-with-tokens", devices()[2].clone()),
        others("some", &devices()[1..]),
        others("none", &[]),
    ]
}
