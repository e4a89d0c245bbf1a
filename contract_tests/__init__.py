"""The contract suite: finds where an API and its documentation have drifted apart."""
