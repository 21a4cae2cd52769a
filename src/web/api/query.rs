//! Parameters of a query, read into the types that document them.

use super::call::Call;
use crate::web::extract;
use crate::web::failure::Failure;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use wire::json::Value;

/// Parameters of a query that are not read yet. Empty ones count as absent.
pub struct Query(Vec<(String, String)>);

impl Call {
    /// The parameters of the query. Fails if one is repeated.
    pub fn query(&self) -> Result<Query, Failure> {
        let form = extract::read_form(self.query.as_bytes())?;
        if form.repeated_except(&[]).is_some() {
            return Err(Failure::Malformed(
                "A parameter appears more than once. Send each once.",
            ));
        }
        Ok(Query(form.into_pairs()))
    }
}

impl Query {
    /// Takes the parameters of a type out of the query. Fails with [`Failure::Parameter`] at the
    /// first one that is invalid.
    pub fn take<P: DeserializeOwned + IntoParams>(&mut self) -> Result<P, Failure> {
        let names: Vec<_> = P::into_params(|| None)
            .into_iter()
            .map(|parameter| parameter.name)
            .collect();
        let (own, others) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(name, _)| names.contains(name));
        self.0 = others;
        let own: Vec<(String, String)> = own;
        let own = own.into_iter().filter(|(_, value)| !value.is_empty());
        let own = own.map(|(name, value)| (name, Value::Text(value)));
        Value::Object(own.collect()).read().map_err(|faults| {
            let mut faults = faults.into_iter();
            let fault = faults.next().map_or_else(String::new, |fault| {
                let name = fault.pointer.trim_start_matches("#/");
                format!("The parameter {name} is invalid. {}", fault.detail)
            });
            Failure::Parameter(fault)
        })
    }

    /// The parameters that are not read yet, without empty ones, sorted by name.
    pub fn rest(&self) -> Vec<(String, String)> {
        let mut rest = self.0.clone();
        rest.retain(|(_, value)| !value.is_empty());
        rest.sort_unstable();
        rest
    }

    /// Fails for a parameter that was not read.
    pub fn finish(self) -> Result<(), Failure> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(Failure::Malformed(
                "The query has an unknown parameter. Send only those in the documentation; lists also accept limit and cursor.",
            )),
        }
    }
}
