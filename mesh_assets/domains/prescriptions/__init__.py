"""What was dispensed: fills, weeks, and Medicare's yearly figures."""
