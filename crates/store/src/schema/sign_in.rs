//! The tables of how users sign in, other than users and sessions.

diesel::table! {
    identity (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        user_id -> Text,
        email -> Nullable<Text>,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        refresh_salt -> Nullable<Text>,
        refresh_token -> Nullable<Text>,
        check_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    used_assertion (id) {
        id -> Text,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    authenticator (user_id) {
        user_id -> Text,
        salt -> Text,
        secret -> Text,
        created_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
        last_step -> BigInt,
    }
}

diesel::table! {
    passkey (id) {
        id -> Text,
        credential -> Text,
        user_id -> Text,
        name -> Text,
        public_key -> Text,
        counter -> BigInt,
        created_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    recovery_code (user_id, code_digest) {
        user_id -> Text,
        code_digest -> Text,
    }
}
