# Enters an uncompressed 64-bit kernel from the 32-bit boot protocol, in the place of the kernel's own decompressor.
# On entry (Linux, Documentation/arch/x86/boot.rst, "32-bit boot protocol"): protected mode, flat segments, paging and
# interrupts off, ESI = boot_params, no stack. The kernel's entry wants 64-bit mode, identity-mapped memory and
# RSI = boot_params; it sets up everything else itself.
#
# The boot loader puts this page at 1 MiB and the kernel behind it; the kernel belongs higher, and the two places overlap.
# So the page first copies itself behind all that the kernel takes, and then moves the kernel up from its end. (GRUB
# could place it itself, but moves it byte by byte, which takes three seconds under emulation.)

        .code32
        .globl  _start
_start: jmp     begin
        .balign 8
# Filled in by the build, addresses and counts of eight bytes each (images/steps/raw-kernel.ts):
own_place:      .long   0               # where this page goes, with six pages for page tables behind it
source_end:     .long   0               # end of the kernel as loaded
target_end:     .long   0               # end of the kernel's loaded part at its place
move_count:     .long   0
clear_count:    .long   0               # zeros that the file leaves out
entry:          .long   0

begin:  cli
        cld
        movl    %esi, %edx
        leal    0x1e8(%edx), %esp       # a four-byte stack: the field `scratch` of boot_params (0x1e4)
        call    here
here:   popl    %esi
        subl    $(here - _start), %esi
        movl    own_place - _start(%esi), %ebx
        movl    %ebx, %edi
        movl    $(4096 / 4), %ecx
        rep movsl
        leal    moved - _start(%ebx), %eax
        jmp     *%eax

# From here on EBX = this page at its new place, EDX = boot_params.
moved:  leal    4096(%ebx), %esp

        # Page tables: four gigabytes in pages of 2 MiB, each address mapped to itself.
        leal    0x1000(%ebx), %edi
        xorl    %eax, %eax
        movl    $(6 * 1024), %ecx
        rep stosl
        leal    0x2007(%ebx), %eax      # PML4: one entry, present, writable, user
        movl    %eax, 0x1000(%ebx)
        leal    0x2000(%ebx), %edi      # PDPT: four entries
        leal    0x3007(%ebx), %eax
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        leal    0x3000(%ebx), %edi      # four page directories: present, writable, 2 MiB, global
        movl    $0x183, %eax
        movl    $2048, %ecx
2:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    2b

        leal    gdt - _start(%ebx), %eax
        movl    %eax, gdt_base - _start(%ebx)
        lgdt    gdt_limit - _start(%ebx)
        movl    %cr4, %eax
        orl     $0x20, %eax             # PAE
        movl    %eax, %cr4
        leal    0x1000(%ebx), %eax
        movl    %eax, %cr3
        pushl   $0x10
        leal    long_mode - _start(%ebx), %eax
        pushl   %eax
        movl    %edx, %ebp              # rdmsr takes EDX
        movl    $0xc0000080, %ecx       # EFER
        rdmsr
        orl     $0x100, %eax            # LME
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000001, %eax       # PG, PE
        movl    %eax, %cr0
        lret

        .code64
long_mode:
        movl    $0x18, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %ebx, %ebx              # clears the upper halves
        movl    %ebp, %ebp
        movl    source_end - _start(%rbx), %esi
        movl    target_end - _start(%rbx), %edi
        movl    move_count - _start(%rbx), %ecx
        subq    $8, %rsi
        subq    $8, %rdi
        std
        rep movsq
        cld
        movl    target_end - _start(%rbx), %edi
        movl    clear_count - _start(%rbx), %ecx
        xorl    %eax, %eax
        rep stosq
        movq    %rbp, %rsi
        movl    entry - _start(%rbx), %eax
        jmp     *%rax

        .balign 8
gdt:    .quad   0
        .quad   0
        .quad   0x00af9a000000ffff      # 0x10: 64-bit code
        .quad   0x00cf92000000ffff      # 0x18: data
gdt_end:
gdt_limit:
        .word   gdt_end - gdt - 1
gdt_base:
        .long   0
        .balign 4096
