//! Polls in every state, and device names.

use super::*;

fn at(seconds: i64) -> Instant {
    Instant::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn grant(state: State) -> Grant {
    Grant {
        id: GrantId::new(at(0), [0; 10]),
        client_id: "cli".into(),
        scopes: ScopeSet::default(),
        device_name: None,
        organization: None,
        project: None,
        address: [127, 0, 0, 1].into(),
        created_at: at(0),
        expires_at: at(600),
        state,
        interval: Duration::seconds(5),
        is_recorded: true,
        is_shown: false,
        noted: Noted::default(),
    }
}

fn approval() -> Approval {
    Approval {
        user_id: UserId::new(at(0), [1; 10]),
        scopes: ScopeSet::parse("a").unwrap(),
        limits: Limits::default(),
        expires_at: None,
        confirmed_at: None,
    }
}

/// Polls at the given seconds; returns which polls got `slow_down`.
fn slowed(seconds: &[i64]) -> Vec<bool> {
    let polls: Vec<_> = seconds.iter().map(|at| (*at, Waiting::Immediate)).collect();
    slowed_as(&polls)
}

fn slowed_as(polls: &[(i64, Waiting)]) -> Vec<bool> {
    let (grant, mut last) = (grant(State::Pending), None);
    polls
        .iter()
        .map(|(second, waiting)| {
            let Poll::Pending(pace) = grant.poll(at(*second)) else {
                panic!("not pending");
            };
            pace.poll(&mut last, at(*second), *waiting) != Timing::OnTime
        })
        .collect()
}

#[test]
fn early_polls_slow_down_for_good_and_obedient_ones_are_never_locked_out() {
    assert_eq!(slowed(&[0, 5, 10]), [false, false, false]);
    assert_eq!(slowed(&[0, 1, 7, 23]), [false, true, true, false]);
    // After one early poll the interval is 10 s from the last good poll, and stays so.
    assert_eq!(
        slowed(&[0, 1, 11, 20, 26]),
        [false, true, false, true, false]
    );
    // A clock set back by an hour causes no lockout.
    assert_eq!(slowed(&[0, -3600, -3595]), [false, false, false]);
}

#[test]
fn a_probe_and_its_repetition_are_one_poll() {
    use Waiting::{Immediate, Probe};
    let both = |second| [(second, Probe), (second, Immediate)];
    let all = [both(0), both(5), both(10)].concat();
    assert_eq!(slowed_as(&all), [false; 6]);
    // An early pair adds five seconds, once.
    let early = [both(0), both(1), both(10), both(20)].concat();
    let expected = [false, false, true, true, false, false, false, false];
    assert_eq!(slowed_as(&early), expected);
    // Only one repetition is free.
    for (polls, expected) in [
        (
            vec![(0, Probe), (0, Immediate), (0, Immediate)],
            [false, false, true],
        ),
        (
            vec![(0, Probe), (0, Probe), (0, Immediate)],
            [false, true, true],
        ),
        (
            vec![(0, Probe), (1, Probe), (5, Probe)],
            [false, true, false],
        ),
        (
            vec![(0, Immediate), (0, Probe), (5, Immediate)],
            [false, true, false],
        ),
    ] {
        assert_eq!(slowed_as(&polls), expected, "{polls:?}");
    }
}

#[test]
fn a_poll_that_waits_is_not_told_to_slow_down() {
    let held: Vec<_> = [0, 0, 1].map(|second| (second, Waiting::Held)).into();
    assert_eq!(slowed_as(&held), [false; 3]);
}

#[test]
fn an_interval_grows_until_it_outlasts_the_codes() {
    let mut last = None;
    let mut poll = |interval, second| {
        let pace = Pace {
            interval: Duration::seconds(interval),
            expires_at: at(600),
        };
        pace.poll(&mut last, at(second), Waiting::Immediate)
    };
    assert_eq!(poll(5, 0), Timing::OnTime);
    let is_raised = |timing| matches!(timing, Timing::Early(Some(_)));
    let raised = (0..200).filter(|_| is_raised(poll(5, 1))).count();
    assert_eq!(raised, 120);
    // The next poll that is on time would come after the end of the codes.
    assert_eq!(poll(5, 599), Timing::Early(None));
}

#[test]
fn the_longer_of_the_stored_and_the_known_interval_counts() {
    let pace = |interval| Pace {
        interval: Duration::seconds(interval),
        expires_at: at(600),
    };
    let mut last = None;
    let mut poll = |interval, second| {
        pace(interval).poll(&mut last, at(second), Waiting::Immediate) == Timing::OnTime
    };
    assert!(poll(5, 0));
    // Another server has raised it.
    assert!(!poll(20, 10));
    // This one has raised it, and has not stored that.
    assert!(!poll(5, 24));
    assert!(poll(5, 31));
}

#[test]
fn each_state_has_one_result_before_and_after_expiry() {
    let redeemed = State::Redeemed {
        token_id: TokenId::new(at(0), [2; 10]),
    };
    let because = DeniedBecause::User;
    let denied = State::Denied(because);
    for (state, open, over) in [
        (
            State::Approved(approval()),
            Poll::Issue(approval()),
            Poll::Expired,
        ),
        (denied, Poll::Denied(because), Poll::Denied(because)),
        (redeemed, Poll::Redeemed, Poll::Redeemed),
        (State::Expired, Poll::Expired, Poll::Expired),
    ] {
        let grant = grant(state);
        assert_eq!(grant.poll(at(599)), open);
        assert_eq!(grant.poll(at(600)), over);
    }
    assert_eq!(grant(State::Pending).poll(at(600)), Poll::Expired);
}

#[test]
fn a_device_may_have_no_name_but_no_disguised_one() {
    let read = |text: &str| device_name(&NameRules::new("dc"), text);
    let name = Some("ada's laptop".to_owned());
    assert_eq!(read(" ada's  laptop\n "), Ok(name));
    assert_eq!(read(" \n"), Ok(None));
    assert_eq!(read("\u{200b}"), Err(Flaw::Invisible('\u{200b}')));
    assert_eq!(read(&"x".repeat(101)), Err(Flaw::TooLong(100)));
}
