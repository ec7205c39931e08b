module toolbox

go 1.24

require wasmsandbox v0.0.0

replace wasmsandbox => ../../../communication/guest/go
