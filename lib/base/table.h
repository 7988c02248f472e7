/*
 * Tables as macros: a table of rows X(...) is written once, and each place that
 * needs something of every row, such as an enum, names or the cases of a switch,
 * passes the table a macro that makes it from a row.
 */
#ifndef KF_TABLE_H
#define KF_TABLE_H

/* For counting: enum { COUNT = 0 TABLE(KF_COUNT_ROW) }; */
#define KF_COUNT_ROW(...) +1

#endif
