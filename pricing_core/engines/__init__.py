"""Work on tables that do not fit into memory: DuckDB over files, with a bound on memory and a place to spill to."""
