-- Run by the postgres image on an empty volume; the database `jamdub` (the catalogue) is made by POSTGRES_DB.
CREATE DATABASE prefect OWNER jamdub;
