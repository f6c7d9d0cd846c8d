"""The AWS services that the template needs: ours, and moto's behind them."""
